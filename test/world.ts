// A world for tests: a real ledger, a policy as astra.yml would say it, a clock set by hand, ids that are counted.
import { createHash } from "node:crypto";
import { BUILT_IN_HARD_CAPS } from "../src/core/budget.ts";
import type { IdKind } from "../src/core/id.ts";
import type { Policy } from "../src/core/policy.ts";
import { checkPolicy } from "../src/core/policy-check.ts";
import { resolvePolicy } from "../src/core/policy-resolve.ts";
import type { Extras, PriceList, Rate } from "../src/core/price.ts";
import type { Ledger } from "../src/ledger/ledger.ts";
import { openSqlite } from "../src/ledger/sqlite.ts";
import { agentOperations, operatorOperations } from "../src/operations/index.ts";
import { type Context, invoke, type Principal } from "../src/operations/operation.ts";
import { seededBytes } from "./seeded-bytes.ts";

/** Noon UTC of a Sunday. */
export const START = Date.parse("2026-11-22T12:00:00Z");

/** Every table of the ledger. */
export const TABLES = [
  "sessions",
  "names",
  "books",
  "attributions",
  "charge_rows",
  "charge_tool_rows",
  "pruned_charges",
  "holds",
  "balances",
  "cost_cells",
  "cost_sums",
  "cost_breakdowns",
  "executions_by_window",
  "stops",
  "tasks",
  "api_keys",
  "grants",
  "team_limits",
  "audit",
  "audit_heads",
  "answers",
  "incidents",
  "webhook_deliveries",
  "session_watch",
  "role_pace",
  "cap_pace",
  "privacy_accounts",
  "privacy_releases",
  "metered_responses",
  "meter_threads",
  "meter_files",
] as const;

/** A local agent over stdio: it is whoever it says. */
export const AGENT: Principal = { kind: "agent", agentId: null };
export const OPERATOR: Principal = { kind: "operator", actor: "test" };

/** A policy from what astra.yml would hold; a fault in it fails the test. */
export function policyOf(raw: unknown): Policy {
  const { file, faults } = checkPolicy(raw);
  if (!file)
    throw new Error(`not a policy: ${faults.map((fault) => `${fault.path.join(".")} ${fault.message}`).join("; ")}`);
  return resolvePolicy(file).policy;
}

/** One dollar per million tokens of input, five of output: a cost can be worked out in the head. */
const RATE: Rate = {
  input: 1_000_000_000n,
  output: 5_000_000_000n,
  cacheRead: 100_000_000n,
  cacheWrite: 1_250_000_000n,
  cacheWrite1h: 2_000_000_000n,
};

/** Fast mode doubles, a region adds a tenth, a search costs a cent. */
const EXTRAS: Extras = { fastPercent: 200n, regionPercent: 110n, webSearch: 10_000_000n };

/** Every model whose name begins with "known" costs `RATE`; the dearest costs ten times that. */
export const PRICES: PriceList = {
  find: (model) =>
    model.startsWith("known")
      ? {
          rates: { base: RATE, bands: [] },
          extras: EXTRAS,
          basis: "exact",
          source: "test",
          row: "known",
          provider: "anthropic",
        }
      : null,
  worst: () => ({
    rates: {
      base: Object.fromEntries(Object.entries(RATE).map(([kind, price]) => [kind, price * 10n])) as Rate,
      bands: [],
    },
    extras: EXTRAS,
    basis: "worst_known",
    row: null,
    source: "test",
    provider: "anthropic",
  }),
};

export type World = {
  readonly context: Context;
  readonly ledger: Ledger;
  /** Lets time go by. */
  pass(ms: number): void;
  at(ms: number): void;
  /** From the next decision on. */
  setPolicy(raw: unknown): void;
  open(args?: Record<string, unknown>, principal?: Principal): Promise<Answer>;
  report(args: Record<string, unknown>, principal?: Principal): Promise<Answer>;
  check(args: Record<string, unknown>, principal?: Principal): Promise<Answer>;
  end(args: Record<string, unknown>, principal?: Principal): Promise<Answer>;
  costs(args?: Record<string, unknown>, principal?: Principal): Promise<Answer>;
  /** Any operation by its name; an operator's as an operator. */
  call(name: string, args?: Record<string, unknown>, principal?: Principal): Promise<Answer>;
};

/** An answer as tests read it: whatever the operation says, and the parts that every test looks at. */
export type Answer = Record<string, unknown> & {
  readonly session_id: string;
  readonly charge_id: string;
  readonly hold_id: string | null;
  readonly cost_usd: number;
  readonly verdict: {
    readonly decision: "allow" | "warn" | "deny";
    readonly message: string;
    readonly binding: Record<string, unknown> | null;
    readonly limits: readonly Record<string, unknown>[];
  };
};

/** Caps so wide that only the limits a test sets are met. */
export const WIDE = {
  ...Object.fromEntries(Object.keys(BUILT_IN_HARD_CAPS).map((field) => [field, 1_000_000])),
  maxDuration: 2_678_400_000,
  maxSpawnDepth: 100,
};

export async function worldOf(
  options: { policy?: unknown; ledger?: Ledger; start?: number; prices?: PriceList } = {},
): Promise<World> {
  const ledger = options.ledger ?? (await openSqlite(":memory:"));
  let policy = policyOf(options.policy ?? { hardCaps: WIDE });
  let now = options.start ?? START;
  let ids = 0;
  const context: Context = {
    ledger,
    get policy() {
      return policy;
    },
    prices: options.prices ?? PRICES,
    now: () => now,
    newId: (kind: IdKind) => `${kind === "session" ? "ses" : kind}_${String(++ids).padStart(6, "0")}`,
    randomBytes: seededBytes("world"),
    newSecret: () => String(++ids).padStart(43, "0"),
    sha256: (text) => createHash("sha256").update(text).digest("hex"),
  };
  const call = (name: string) => {
    const operation = [...agentOperations, ...operatorOperations].find((each) => each.name === name);
    if (!operation) throw new TypeError(`no operation is called ${name}`);
    const usual = operation.access === "agent" || operation.access === "anyone" ? AGENT : OPERATOR;
    return async (args: Record<string, unknown> = {}, principal: Principal = usual) =>
      (await invoke(operation, context, principal, args)) as Answer;
  };
  return {
    context,
    ledger,
    pass: (ms) => {
      now += ms;
    },
    at: (ms) => {
      now = ms;
    },
    setPolicy: (raw) => {
      policy = policyOf(raw);
    },
    open: (args, principal) => call("open_session")({ agent_id: "ada", ...args }, principal),
    report: (args, principal) => call("report_usage")({ input_tokens: 0, output_tokens: 0, ...args }, principal),
    check: call("check_budget"),
    end: call("end_session"),
    costs: call("get_costs"),
    call: (name, args, principal) => call(name)(args, principal),
  };
}
