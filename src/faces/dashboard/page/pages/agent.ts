// One agent: what it used hour by hour, its sessions, the limits that bear on it, and its budget.
import { read } from "../api.ts";
import { el } from "../dom.ts";
import { kept, type Page, type PageContext, showInAddress } from "../page.ts";
import { periodChoice, periodIn } from "../period.ts";
import { type AgentPolicy, budgetPart, type PolicyAnswer } from "./agent-budget.ts";
import { headPart } from "./agent-head.ts";
import { type AgentHours, hoursPart } from "./agent-hours.ts";
import { type AgentLimit, limitsPart } from "./agent-limits.ts";
import { type AgentSessions, MOST_SESSIONS, sessionsPart } from "./agent-sessions.ts";

export type AgentData = {
  readonly hours: AgentHours;
  readonly sessions: AgentSessions;
  readonly limits: readonly AgentLimit[];
  readonly policy: PolicyAnswer;
  /** Null where astra.yml does not list the agent. */
  readonly own: AgentPolicy | null;
};

/** A part of the page: shown again with every answer. */
export type AgentPart = { readonly element: HTMLElement; show(data: AgentData): void; close?(): void };

/** Sessions shown at first. */
const FEW_SESSIONS = 20;

export function agentPage(context: PageContext, id: string): Page {
  const path = encodeURIComponent(id);
  let period = periodIn(context.params, "day");
  let sessionsShown = FEW_SESSIONS;
  const load = async (): Promise<AgentData> => {
    const [hours, sessions, limits, policy] = await Promise.all([
      read<AgentHours>(`/leaderboard/${path}`, { period }),
      read<AgentSessions>(`/api/v1/agents/${path}/sessions`, { limit: sessionsShown }),
      read<{ limits: readonly AgentLimit[] }>("/api/v1/limits"),
      read<PolicyAnswer>("/api/v1/policy"),
    ]);
    const own = policy.agents.find(({ agent_id }) => agent_id === id) ?? null;
    return { hours, sessions, limits: limits.limits, policy, own };
  };
  const periods = periodChoice(period, (picked) => {
    period = picked;
    showInAddress("agents", { agent: id, period });
    fresh.again();
  });
  const moreSessions = () => {
    sessionsShown = MOST_SESSIONS;
    fresh.again();
  };
  const again = () => fresh.again();
  const parts: readonly AgentPart[] = [
    headPart(context, id),
    hoursPart(context.clock, periods),
    limitsPart(context, id, again),
    sessionsPart(context, { again, more: moreSessions }),
    budgetPart(),
  ];
  const answer = el("div", { class: "page" }, ...parts.map(({ element }) => element));
  answer.hidden = true;
  const fresh = kept(context.live, load, (data) => {
    for (const part of parts) part.show(data);
    answer.hidden = false;
  });
  return {
    element: el("div", { class: "page" }, fresh.status, answer),
    close() {
      fresh.close();
      for (const part of parts) part.close?.();
    },
  };
}
