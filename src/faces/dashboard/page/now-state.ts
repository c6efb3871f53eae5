// What the live stream tells: the answer of get_now, as far as the page reads it.

export type Pace = { readonly spent_usd: number; readonly projected_usd: number | null; readonly ends_at: string };

export type Binding = {
  readonly kind: string;
  readonly scope: string;
  readonly scope_id: string;
  readonly window: string | null;
  readonly measure: string | null;
  readonly limit: number | null;
  readonly spent: number | null;
  readonly held: number | null;
  readonly remaining: number | null;
};

export type Limit = {
  readonly scope: string;
  readonly scope_id: string;
  readonly window: string;
  readonly measure: string;
  readonly limit: number;
  readonly spent: number;
  readonly held: number;
  readonly remaining: number;
  readonly overspend: number;
  readonly resets_at: string | null;
  readonly share: number;
  readonly state: "ok" | "warn" | "over";
  readonly reached_at: string | null;
};

export type Decision = "allow" | "warn" | "deny";

export type OpenSession = {
  readonly session_id: string;
  readonly parent_session_id: string | null;
  readonly agent_id: string;
  readonly team_id: string | null;
  readonly task_id: string | null;
  readonly model: string | null;
  readonly started_at: string;
  readonly expires_at: string;
  readonly tokens: number;
  readonly tool_calls: number;
  readonly cost_usd: number;
  readonly tree_cost_usd: number;
  readonly max_cost_usd: number;
  readonly decision: Decision;
  readonly message: string;
  readonly binding: Binding | null;
};

export type Stop = {
  readonly stop_id: string;
  readonly scope: string;
  readonly scope_id: string;
  readonly reason: string;
  readonly created_at: string;
};

export type Grant = {
  readonly grant_id: string;
  readonly scope: string;
  readonly scope_id: string;
  readonly window: string;
  readonly measure: string;
  readonly amount: number;
  readonly expires_at: string;
};

export type Incident = {
  readonly incident_id: string;
  readonly kind: string;
  readonly scope: string;
  readonly scope_id: string;
  readonly session_id: string | null;
  readonly agent_id: string | null;
  readonly message: string;
  readonly stop_id: string | null;
  readonly state: "open" | "acknowledged";
  readonly raised_at: string;
  readonly evidence: Readonly<Record<string, unknown>>;
  readonly acknowledged_at?: string | null;
  readonly acknowledged_by?: string | null;
  readonly note?: string | null;
};

export type FeedCharge = {
  readonly charge_id: string;
  readonly session_id: string;
  readonly agent_id: string;
  readonly task_id: string | null;
  readonly model: string | null;
  readonly tool: string | null;
  readonly recorded_at: string;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cost_usd: number;
  readonly late: boolean;
  readonly failed: boolean;
  readonly decision: Decision | null;
};

export type Now = {
  readonly workspace_id: string;
  readonly timezone: string;
  readonly at: string;
  readonly day: string;
  readonly today: Pace;
  readonly month: Pace;
  readonly limits: readonly Limit[];
  readonly limits_left_out: number;
  readonly sessions: readonly OpenSession[];
  readonly open_sessions: number;
  readonly stops: readonly Stop[];
  readonly grants: readonly Grant[];
  readonly incidents: readonly Incident[];
  readonly open_incidents: number;
  readonly feed: readonly FeedCharge[];
  readonly feed_left_out: number;
  readonly feed_hidden?: boolean;
};
