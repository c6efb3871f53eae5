// Verify: everything that is derived, computed again from charges and holds, and compared with what is stored.
import { sql } from "kysely";
import { balanceKeys, keyText } from "../core/balance-key.ts";
import { type Amounts, addAmounts, type Balance, EMPTY_BALANCE } from "../core/usage.ts";
import { toBalance } from "./balances.ts";
import { hourText } from "./calendar.ts";
import { type Difference, note } from "./difference.ts";
import { NO_TOTALS, type Session, type SessionTotals, toSession } from "./session-row.ts";
import { all, statement, type Work } from "./statement.ts";
import type { PrunedChargesTable } from "./tables.ts";
import { compareCosts } from "./verify-costs.ts";
import { compareExecutions } from "./verify-executions.ts";

export type Verification = {
  readonly charges: bigint;
  readonly holds: bigint;
  readonly balances: bigint;
  readonly differences: readonly Difference[];
};

/** Recomputes balances, sums of costs, session totals and settled holds over all workspaces. Reads the whole ledger. */
export function* verifyLedger(): Work<Verification> {
  const sessions = new Map((yield* all(everySession, {})).map((row) => [row.id, toSession(row)]));
  const balances = yield* compareBalances(sessions);
  const differences = [
    ...balances.differences,
    ...(yield* compareCosts()),
    ...(yield* compareTotals(sessions)),
    ...(yield* compareHolds()),
    ...(yield* compareExecutions()),
  ];
  return { charges: balances.charges, holds: balances.holds, balances: balances.count, differences };
}

const everySession = statement((db) => db.selectFrom("sessions").selectAll());

const spentByHour = statement((db) =>
  db
    .selectFrom(chargesAndPruned().as("c"))
    .innerJoin("names", "names.no", "c.session_no")
    .groupBy(["names.name", "c.hour"])
    .select(["names.name as session_id", "c.hour"])
    .select([
      sql<bigint>`sum(c.charges)`.as("count"),
      sql<bigint>`sum(c.cost_nano_usd)`.as("cost"),
      sql<bigint>`sum(c.input_tokens + c.cache_read_tokens + c.cache_write_tokens)`.as("prompt"),
      sql<bigint>`sum(c.output_tokens)`.as("completion"),
      sql<bigint>`sum(c.tool_calls)`.as("tool_calls"),
    ]),
);

/** Every charge as one row, and what was pruned as it was kept: per session and hour. */
const chargesAndPruned = () => sql<PrunedChargesTable>`(
  select session_no, hour, 1 as charges, case when error is null then 0 else 1 end as errors, input_tokens, output_tokens,
    cache_read_tokens, cache_write_tokens, tool_calls, cost_nano_usd from charge_rows
  union all
  select session_no, hour, charges, errors, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, tool_calls,
    cost_nano_usd from pruned_charges)`;

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
  const spent = (yield* all(spentByHour, {})).map((row) => ({ ...row, hour: hourText(row.hour) }));
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

const totalsBySession = statement((db) =>
  db
    .selectFrom(chargesAndPruned().as("c"))
    .innerJoin("names", "names.no", "c.session_no")
    .groupBy("names.name")
    .select("names.name as session_id")
    .select((eb) => [
      eb.fn.sum<bigint>("c.charges").as("charges"),
      eb.fn.sum<bigint>("c.errors").as("errors"),
      eb.fn.sum<bigint>("c.input_tokens").as("inputTokens"),
      eb.fn.sum<bigint>("c.output_tokens").as("outputTokens"),
      eb.fn.sum<bigint>("c.cache_read_tokens").as("cacheReadTokens"),
      eb.fn.sum<bigint>("c.cache_write_tokens").as("cacheWriteTokens"),
      eb.fn.sum<bigint>("c.tool_calls").as("toolCalls"),
      eb.fn.sum<bigint>("c.cost_nano_usd").as("cost"),
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
    .leftJoin("charge_rows", "charge_rows.hold_id", "holds.id")
    .where("holds.state", "=", "settled")
    .groupBy("holds.id")
    .select("holds.id")
    .select((eb) => eb.fn.count<bigint>("charge_rows.seq").as("charges")),
);

/** A settled hold was settled by a charge. Later reports may name it again, so it may have several. */
function* compareHolds(): Work<Difference[]> {
  const differences: Difference[] = [];
  for (const hold of yield* all(settledHolds, {}))
    note(differences, "hold", hold.id, "settled", hold.charges > 0n ? "settled" : "no charge settles it");
  return differences;
}

function balanceText({ spent, held }: Balance): string {
  const text = (a: Amounts) =>
    `${a.cost} nano-dollars, ${a.promptTokens} + ${a.completionTokens} tokens, ${a.toolCalls} calls`;
  return `spent ${text(spent)}; held ${text(held)}`;
}
