// Verify: everything that is derived, computed again from charges and holds, and compared with what is stored.
import { sql } from "kysely";
import { balanceKeys, keyText } from "../core/balance-key.ts";
import { type Amounts, addAmounts, type Balance, EMPTY_BALANCE } from "../core/usage.ts";
import { toBalance } from "./balances.ts";
import { chargeLines } from "./costs.ts";
import { SUMS } from "./rollups.ts";
import { NO_TOTALS, type Session, type SessionTotals, toSession } from "./session-row.ts";
import { all, statement, type Work } from "./statement.ts";
import type { CostsByDayTable } from "./tables.ts";
import { compareExecutions } from "./verify-executions.ts";

/** One difference, in words for the operator. */
export type Difference = {
  readonly what: "balance" | "day" | "month" | "session" | "hold" | "execution";
  readonly key: string;
  readonly stored: string;
  readonly computed: string;
};

export type Verification = {
  readonly charges: bigint;
  readonly holds: bigint;
  readonly balances: bigint;
  readonly differences: readonly Difference[];
};

/** Recomputes balances, rollups, session totals and settled holds over all workspaces. Reads the whole ledger. */
export function* verifyLedger(): Work<Verification> {
  const sessions = new Map((yield* all(everySession, {})).map((row) => [row.id, toSession(row)]));
  const balances = yield* compareBalances(sessions);
  const differences = [
    ...balances.differences,
    ...(yield* compareRollups("day")),
    ...(yield* compareRollups("month")),
    ...(yield* compareTotals(sessions)),
    ...(yield* compareHolds()),
    ...(yield* compareExecutions()),
  ];
  return { charges: balances.charges, holds: balances.holds, balances: balances.count, differences };
}

const everySession = statement((db) => db.selectFrom("sessions").selectAll());

const spentByHour = statement((db) =>
  db
    .selectFrom("charges")
    .groupBy(["session_id", "hour"])
    .select(["session_id", "hour"])
    .select((eb) => [
      eb.fn.countAll<bigint>().as("count"),
      eb.fn.sum<bigint>("cost_nano_usd").as("cost"),
      sql<bigint>`sum(input_tokens + cache_read_tokens + cache_write_tokens)`.as("prompt"),
      eb.fn.sum<bigint>("output_tokens").as("completion"),
      eb.fn.sum<bigint>("tool_calls").as("tool_calls"),
    ]),
);

const heldByHour = statement((db) =>
  db
    .selectFrom("holds")
    .where("state", "=", "held")
    .groupBy(["session_id", "hour"])
    .select(["session_id", "hour"])
    .select((eb) => [
      eb.fn.countAll<bigint>().as("count"),
      eb.fn.sum<bigint>("cost_nano_usd").as("cost"),
      eb.fn.sum<bigint>("prompt_tokens").as("prompt"),
      eb.fn.sum<bigint>("completion_tokens").as("completion"),
      eb.fn.sum<bigint>("tool_calls").as("tool_calls"),
    ]),
);

const everyBalance = statement((db) => db.selectFrom("balances").selectAll());

type Sum = {
  session_id: string;
  hour: string;
  count: bigint;
  cost: bigint;
  prompt: bigint;
  completion: bigint;
  tool_calls: bigint;
};

function* compareBalances(
  sessions: ReadonlyMap<string, Session>,
): Work<{ charges: bigint; holds: bigint; count: bigint; differences: Difference[] }> {
  const computed = new Map<string, Balance>();
  const spread = (rows: readonly Sum[], side: "spent" | "held") => {
    for (const row of rows) {
      const session = sessions.get(row.session_id);
      if (!session) continue;
      const amounts: Amounts = {
        cost: row.cost,
        promptTokens: row.prompt,
        completionTokens: row.completion,
        toolCalls: row.tool_calls,
      };
      for (const key of balanceKeys({ ...session, hour: row.hour })) {
        const text = `${session.workspaceId}: ${keyText(key)}`;
        const balance = computed.get(text) ?? EMPTY_BALANCE;
        computed.set(text, { ...balance, [side]: addAmounts(balance[side], amounts) });
      }
    }
  };
  const spent = yield* all(spentByHour, {});
  const held = yield* all(heldByHour, {});
  spread(spent, "spent");
  spread(held, "held");
  const differences: Difference[] = [];
  const stored = yield* all(everyBalance, {});
  for (const row of stored) {
    const [key, balance] = toBalance(row);
    const text = `${row.workspace_id}: ${keyText(key)}`;
    note(differences, "balance", text, balanceText(balance), balanceText(computed.get(text) ?? EMPTY_BALANCE));
    computed.delete(text);
  }
  for (const [text, balance] of computed)
    note(differences, "balance", text, balanceText(EMPTY_BALANCE), balanceText(balance));
  const count = (rows: readonly Sum[]) => rows.reduce((sum, row) => sum + row.count, 0n);
  return { charges: count(spent), holds: count(held), count: BigInt(stored.length), differences };
}

const DIMENSIONS = {
  day: ["day", "agent_id", "team_id", "task_id", "user_id", "role", "provider", "model", "tool"],
  month: ["month", "agent_id", "provider", "tool"],
} as const;

/** A rollup against the same sums over the lines of all charges. */
function* compareRollups(which: "day" | "month"): Work<Difference[]> {
  const table = which === "day" ? sql<CostsByDayTable>`costs_by_day` : sql<CostsByDayTable>`costs_by_month`;
  const stored = yield* sumsOf(table, which);
  const computed = yield* sumsOf(chargeLines(null), which);
  const differences: Difference[] = [];
  for (const key of new Set([...stored.keys(), ...computed.keys()])) {
    note(differences, which, key, stored.get(key) ?? "nothing", computed.get(key) ?? "nothing");
  }
  return differences;
}

function* sumsOf(source: ReturnType<typeof chargeLines>, which: "day" | "month"): Work<Map<string, string>> {
  const columns = ["workspace_id", ...DIMENSIONS[which]].map((column) =>
    sql<string>`${sql.ref(`costs.${column}`)}`.as(column),
  );
  const rows = yield* all(
    statement((db) =>
      db
        .selectFrom(source.as("costs"))
        .groupBy(["workspace_id", ...DIMENSIONS[which]].map((column) => sql.ref(`costs.${column}`)))
        .select(columns)
        .select(SUMS.map((column) => sql<bigint>`sum(${sql.ref(`costs.${column}`)})`.as(column))),
    ),
    {},
  );
  return new Map(
    rows.map((row) => {
      const of = row as Record<string, string | bigint>;
      const key = ["workspace_id", ...DIMENSIONS[which]].map((column) => of[column]).join(" ");
      return [key, SUMS.map((column) => `${column} ${of[column]}`).join(", ")];
    }),
  );
}

const totalsBySession = statement((db) =>
  db
    .selectFrom("charges")
    .groupBy("session_id")
    .select("session_id")
    .select((eb) => [
      eb.fn.countAll<bigint>().as("charges"),
      sql<bigint>`sum(case when error is null then 0 else 1 end)`.as("errors"),
      eb.fn.sum<bigint>("input_tokens").as("inputTokens"),
      eb.fn.sum<bigint>("output_tokens").as("outputTokens"),
      eb.fn.sum<bigint>("cache_read_tokens").as("cacheReadTokens"),
      eb.fn.sum<bigint>("cache_write_tokens").as("cacheWriteTokens"),
      eb.fn.sum<bigint>("tool_calls").as("toolCalls"),
      eb.fn.sum<bigint>("cost_nano_usd").as("cost"),
    ]),
);

function* compareTotals(sessions: ReadonlyMap<string, Session>): Work<Difference[]> {
  const computed = new Map<string, SessionTotals>(
    (yield* all(totalsBySession, {})).map(({ session_id, ...totals }) => [session_id, totals]),
  );
  const differences: Difference[] = [];
  const text = (totals: SessionTotals) =>
    Object.keys(NO_TOTALS)
      .map((key) => `${key} ${totals[key as keyof SessionTotals]}`)
      .join(", ");
  for (const session of sessions.values()) {
    note(differences, "session", session.id, text(session.totals), text(computed.get(session.id) ?? NO_TOTALS));
  }
  return differences;
}

const settledHolds = statement((db) =>
  db
    .selectFrom("holds")
    .leftJoin("charges", "charges.hold_id", "holds.id")
    .where("holds.state", "=", "settled")
    .groupBy("holds.id")
    .select("holds.id")
    .select((eb) => eb.fn.count<bigint>("charges.id").as("charges")),
);

/** A settled hold was settled by a charge. Later reports may name it again, so it may have several. */
function* compareHolds(): Work<Difference[]> {
  const differences: Difference[] = [];
  for (const hold of yield* all(settledHolds, {}))
    note(differences, "hold", hold.id, "settled", hold.charges > 0n ? "settled" : "no charge settles it");
  return differences;
}

function note(
  differences: Difference[],
  what: Difference["what"],
  key: string,
  stored: string,
  computed: string,
): void {
  if (stored !== computed) differences.push({ what, key, stored, computed });
}

function balanceText({ spent, held }: Balance): string {
  const text = (a: Amounts) =>
    `${a.cost} nano-dollars, ${a.promptTokens} + ${a.completionTokens} tokens, ${a.toolCalls} calls`;
  return `spent ${text(spent)}; held ${text(held)}`;
}
