// Balances: the rows that are locked, read and added to. All rows of one call get the same amounts.
import { sql } from "kysely";
import type { BalanceKey, BalanceScope } from "../core/balance-key.ts";
import type { Amounts, Balance } from "../core/usage.ts";
import { NOTHING } from "../core/usage.ts";
import type { WindowKind } from "../core/window.ts";
import { type Arguments, all, family, pieces, statement, type Value, type Work } from "./statement.ts";
import type { BalancesTable } from "./tables.ts";

const AMOUNTS = [
  "cost_spent",
  "prompt_spent",
  "completion_spent",
  "tool_calls_spent",
  "cost_held",
  "prompt_held",
  "completion_held",
  "tool_calls_held",
] as const;

/** Only where thousands of forgotten holds fall due at once is one transaction about more. */
const MOST_ROWS = 200;

/** Names of arguments, made once: to make their texts in every call costs more than all else here. */
const DELTA_NAMES = AMOUNTS.map((column) => [`add_${column}`, `new_${column}`] as const);
const KEY_NAMES = Array.from(
  { length: MOST_ROWS },
  (_, i) => [`scope${i}`, `scope_id${i}`, `window_kind${i}`, `window_key${i}`] as const,
);

export type BalanceRow = readonly [BalanceKey, Balance];

/**
 * Adds amounts to the balances of all keys, making rows that are not there, and answers their new values.
 * The keys must be sorted and different: this is also how rows are locked.
 */
export function* addToBalances(
  workspaceId: string,
  keys: readonly BalanceKey[],
  spent: Amounts,
  held: Amounts,
): Work<readonly BalanceRow[]> {
  const deltas = [...valuesOf(spent), ...valuesOf(held)];
  const found: BalanceRow[] = [];
  for (const some of slicesOf(keys)) {
    const args = keyArguments(workspaceId, some);
    DELTA_NAMES.forEach(([add, make], i) => {
      const delta = deltas[i] ?? 0n;
      args[add] = delta;
      // A row can only be made by something that adds: what is taken away was once added.
      args[make] = delta > 0n ? delta : 0n;
    });
    const rows = yield* all(upsert(some.length), args);
    for (const row of rows) found.push(toBalance(row));
  }
  return found;
}

/** Locks the rows until the transaction ends, and answers their values. */
export function* lockBalances(workspaceId: string, keys: readonly BalanceKey[]): Work<readonly BalanceRow[]> {
  return yield* addToBalances(workspaceId, keys, NOTHING, NOTHING);
}

/** The values of the rows that are there, without a lock: never decide a write on them. */
export function* readBalances(workspaceId: string, keys: readonly BalanceKey[]): Work<readonly BalanceRow[]> {
  const found: BalanceRow[] = [];
  for (const some of slicesOf(keys)) {
    const rows = yield* all(select(some.length), keyArguments(workspaceId, some));
    for (const row of rows) found.push(toBalance(row));
  }
  return found;
}

/** The same for hundreds of keys, whose number is another every time: in few sizes, so that few statements are compiled. */
export function* readManyBalances(workspaceId: string, keys: readonly BalanceKey[]): Work<readonly BalanceRow[]> {
  const found: BalanceRow[] = [];
  for (const some of pieces(keys)) found.push(...(yield* readBalances(workspaceId, some)));
  return found;
}

/** The keys in their order, as many at a time as one statement may name (SQLite takes 32,766 values, 21 a row). */
function slicesOf(keys: readonly BalanceKey[]): (readonly BalanceKey[])[] {
  if (keys.length <= MOST_ROWS) return keys.length === 0 ? [] : [keys];
  return [keys.slice(0, MOST_ROWS), ...slicesOf(keys.slice(MOST_ROWS))];
}

const upsert = family((count) =>
  statement((db, args: Arguments) =>
    db
      .insertInto("balances")
      .values(
        Array.from({ length: count }, (_, i) => ({
          workspace_id: args.workspace_id,
          scope: args[`scope${i}`],
          scope_id: args[`scope_id${i}`],
          window_kind: args[`window_kind${i}`],
          window_key: args[`window_key${i}`],
          ...Object.fromEntries(AMOUNTS.map((column) => [column, args[`new_${column}`]])),
        })) as BalancesTable[],
      )
      .onConflict((conflict) =>
        conflict
          .columns(["workspace_id", "scope", "scope_id", "window_kind", "window_key"])
          .doUpdateSet((eb) =>
            Object.fromEntries(AMOUNTS.map((c) => [c, eb(`balances.${c}`, "+", args[`add_${c}`] as bigint)])),
          ),
      )
      .returningAll(),
  ),
);

/** Joined to the keys as rows: by conditions joined with "or" SQLite reads every balance of the workspace. */
const select = family((count) =>
  statement((db, args: Arguments) => {
    const keys = Array.from(
      { length: count },
      (_, i) =>
        sql`select ${args[`scope${i}`]} as scope, ${args[`scope_id${i}`]} as scope_id,
          ${args[`window_kind${i}`]} as window_kind, ${args[`window_key${i}`]} as window_key`,
    );
    return db
      .selectFrom(sql<Pick<BalancesTable, (typeof KEY)[number]>>`(${sql.join(keys, sql` union all `)})`.as("k"))
      .innerJoin("balances as b", (join) =>
        KEY.reduce((on, column) => on.onRef(`b.${column}`, "=", `k.${column}`), join).on(
          "b.workspace_id",
          "=",
          args.workspace_id as string,
        ),
      )
      .selectAll("b");
  }),
);

const KEY = ["scope", "scope_id", "window_kind", "window_key"] as const;

function keyArguments(workspaceId: string, keys: readonly BalanceKey[]): Record<string, Value> {
  const args: Record<string, Value> = { workspace_id: workspaceId };
  keys.forEach((key, i) => {
    const [scope, scopeId, window, windowKey] = KEY_NAMES[i] as (typeof KEY_NAMES)[number];
    args[scope] = key.scope;
    args[scopeId] = key.scopeId;
    args[window] = key.window;
    args[windowKey] = key.windowKey;
  });
  return args;
}

const valuesOf = (a: Amounts): bigint[] => [a.cost, a.promptTokens, a.completionTokens, a.toolCalls];

export function toBalance(row: BalancesTable): BalanceRow {
  return [
    {
      scope: row.scope as BalanceScope,
      scopeId: row.scope_id,
      window: row.window_kind as WindowKind,
      windowKey: row.window_key,
    },
    {
      spent: {
        cost: row.cost_spent,
        promptTokens: row.prompt_spent,
        completionTokens: row.completion_spent,
        toolCalls: row.tool_calls_spent,
      },
      held: {
        cost: row.cost_held,
        promptTokens: row.prompt_held,
        completionTokens: row.completion_held,
        toolCalls: row.tool_calls_held,
      },
    },
  ];
}
