// Random values for the fuzz: mostly what fits an argument of that name, some of it hostile; the same for the same seed.

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** 0 to below 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** 0 to below `most`. */
  below(most: number): number {
    return Math.floor(this.next() * most);
  }

  one<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  /** Is it one of `times`, on average? */
  oneIn(times: number): boolean {
    return this.next() * times < 1;
  }

  some<T>(list: readonly T[], most: number): T[] {
    return list.filter(() => this.next() * Math.max(1, list.length) < most);
  }
}

/** JSON that JSON.stringify does not write: stands in a string until `jsonOf` puts it in as it is. */
const raw = (json: string): string => `@raw ${json}@`;

export function jsonOf(value: unknown): string {
  return JSON.stringify(value).replace(/"@raw (.*?)@"/g, (_, json: string) => json.replaceAll('\\"', '"'));
}

export const textOf = (value: unknown): string => (typeof value === "string" ? value : jsonOf(value));

const HOSTILE: readonly (() => unknown)[] = [
  ...[-1, -0, 1.5, 1e-10, 1e9, 1e308, 2 ** 53, null, true, "5", "", [], {}, [[]], "2026-02-30", "a\0b", "a\uD800"],
  ...["a\u202Eb", "e\u0301", "'; drop table charges; --", "<script>alert(1)</script>", "__proto__", "constructor"],
  ...["../../etc/passwd", "\u001b[2J", "{{7*7}}", "%s%n", "ses_", "chg_0", "NaN", "toString", "9".repeat(400)],
]
  .map((value) => () => value)
  .concat([
    () => raw("1e999"),
    () => raw("-1e999"),
    () => raw("123456789012345678901234567890"),
    () => raw('{"__proto__": {"max_cost_cents": 1e9}, "agent_id": "bob"}'),
    () => raw('{"a": 1, "a": 2}'),
    () => raw(`${"[".repeat(3_000)}${"]".repeat(3_000)}`),
    () => "x".repeat(129),
    () => "é".repeat(5_000),
    () => Array.from({ length: 300 }, (_, i) => ({ tool: `t${i}`, count: i })),
  ]);

export const hostile = (random: Random): unknown => random.one(HOSTILE)();

export function anything(random: Random, depth = 2): unknown {
  const kind = random.below(depth === 0 ? 4 : 6);
  if (kind === 0) return random.below(1_000_000) - 10;
  if (kind === 1) return String.fromCharCode(...Array.from({ length: random.below(12) }, () => random.below(0x3000)));
  if (kind < 4) return hostile(random);
  const entries = Array.from({ length: random.below(4) }, () => anything(random, depth - 1));
  return kind === 4
    ? entries
    : Object.fromEntries(entries.map((each, i) => [random.one(["a", "session_id", `k${i}`]), each]));
}

/** Nobody's id: there is none yet. */
export const NONE = "ses_none";

/** Ids that answers told of, the newest last. */
export class Known {
  readonly #ids = new Map<string, string[]>();

  add(kind: string, id: unknown): void {
    if (typeof id !== "string") return;
    const list = this.#ids.get(kind) ?? [];
    this.#ids.set(kind, [...list.slice(-7), id]);
  }

  one(kind: string, random: Random): string {
    const ids = this.#ids.get(kind) ?? [];
    return ids.length === 0 ? NONE : random.one(ids);
  }
}

export const AGENTS = ["ada", "bob", "eve"] as const;

export type Wanted = { readonly random: Random; readonly known: Known; readonly agent: string | null };

const COUNTS = [0, 1, 7, 5_000, 1_000_000];
const MONEY = [0, 0.1, 1e-9, 0.5, 4.999999999, 3];

/** What an argument of that name may well be. `agent`: who calls, if an agent: what it marks as its own nobody else may see. */
export function fitting(name: string, wanted: Wanted): unknown {
  const { random, known, agent } = wanted;
  const canary = `canary-${agent ?? "none"}`;
  const subject = agent !== null && !random.oneIn(8) ? agent : random.one(AGENTS);
  const record = (fields: readonly string[]) =>
    Object.fromEntries(random.some(fields, 2).map((field) => [field, fitting(field, wanted)]));
  if (name === "session_id" || name === "parent_session_id") return known.one(`session ${subject}`, random);
  if (/^(charge|hold|stop|grant|key|incident|delivery)_id$/.test(name)) return known.one(name, random);
  if (name === "agent_id" || name === "agentId") return subject;
  if (name === "team_id" || name === "teamId") return random.one(["red", "blue"]);
  if (name === "task_id" || name === "taskId") return random.one(["t1", "t2", 594, known.one("task_id", random)]);
  if (name === "user_id" || name === "userId" || name === "uid" || name === "tool") return canary;
  if (name === "scope_id") return random.one(["red", "blue", "t1", subject, known.one(`session ${subject}`, random)]);
  if (name === "scope") return random.one(["session", "task", "agent", "team", "workspace"]);
  if (name === "kind") return random.one(["task_red_flag", "team_day_red_flag", "duplicate_work"]);
  if (name === "state") return random.one(["open", "acknowledged", "pending", "failed"]);
  if (name === "window") return random.one(["session", "hour", "day", "month", "total"]);
  if (name === "measure") return random.one(["cost_usd", "total_tokens", "tool_calls"]);
  if (name === "model") return random.one(["claude-haiku-4-5", "gpt-4o", "unheard-of"]);
  if (name === "role") return random.one(["agent", "viewer", "operator", "researcher"]);
  if (name === "tool_calls") return random.oneIn(2) ? random.below(4) : [{ tool: canary, count: 1, cost_usd: 0.01 }];
  if (name === "estimate") return record(["input_tokens", "cost_usd", "model"]);
  if (name === "budget") return record(["max_cost_cents", "max_tool_calls", "max_total_tokens"]);
  if (name === "tools") return { allow: ["web"], deny: [] };
  if (name === "hold" || name === "all" || name === "open" || name === "include_revoked") return true;
  if (name === "idempotency_key") return random.oneIn(2) ? `key-${random.below(6)}` : `key-${random.next()}`;
  if (name === "occurred_at") return new Date(Date.now() - random.below(50_000)).toISOString();
  if (name === "expires_at") return new Date(Date.now() + 60_000 + random.below(86_400_000)).toISOString();
  if (/start_?date/i.test(name)) return random.one(["0001-01-01", "2026-11-01"]);
  if (/end_?date/i.test(name)) return random.one(["2099-01-01", "9999-12-31"]);
  if (name === "since" || name === "before" || name === "until") return random.one(["2026-01-01", "2026-10-01"]);
  if (name === "dry_run" || name === "keep_rollups") return random.oneIn(2);
  if (name === "group_by" || name === "groupBy") return random.some(["agent", "tool", "day", "model", "user"], 2);
  if (name === "status") return random.one(["success", "error", "cancelled", "done", "open"]);
  if (name === "period") return random.one(["day", "week", "month"]);
  if (name === "sort") return random.one(["cost", "tokens", "executions", "success", "fitness"]);
  if (name === "outcome") return random.one(["success", "error", "expired"]);
  if (name === "tags") return random.one([["budget:1"], ["bug"], []]);
  if (name === "depends_on") return random.some(["t1", "t2"], 1);
  if (name === "cache_write_1h_tokens") return random.below(2);
  if (name === "amount") return random.one([1, 3, 5_000, 0.5]);
  if (name.endsWith("_tokens")) return random.one(COUNTS);
  if (name.endsWith("_usd")) return random.one(MONEY);
  if (["error", "reason", "title", "name", "note"].includes(name)) return agent === null ? "Why" : canary;
  if (name === "task_type") return random.one(["plain", "config"]);
  if (["priority", "provider"].includes(name)) return "plain";
  if (name === "cursor") return random.oneIn(4) ? known.one("cursor", random) : NONE;
  return 1 + random.below(400) * (name === "hold_ttl_ms" ? 1_000 : 1);
}
