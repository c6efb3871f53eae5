// What a test looks at after a call: the fault that it met, the limits it was answered, every row of the ledger.
import { sql } from "kysely";
import { AstraError } from "../../src/core/error.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { all, statement, type Work } from "../../src/ledger/statement.ts";
import type { Answer, World } from "../world.ts";
import { TABLES } from "../world.ts";

/** The AstraError that a call ends with; anything else fails the test. */
export async function faultOf(call: Promise<unknown>): Promise<AstraError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof AstraError) return error;
    throw error;
  }
  throw new Error("the call was answered, though a fault was expected");
}

/** Code and every named argument of a fault: "invalid_input: cost_usd expected 0 or more dollars". */
export async function faultText(call: Promise<unknown>): Promise<string> {
  const { code, faults } = await faultOf(call);
  return [`${code}:`, ...faults.map(({ path, message }) => `${path} ${message}`.trim())].join(" ");
}

/** The limit of an answer by its scope and measure, "session cost_usd". */
export function limitOf(answer: Answer, name: string): Record<string, unknown> {
  const found = answer.verdict.limits.filter((limit) => `${limit.scope} ${limit.measure}` === name);
  const [limit] = found;
  if (!limit || found.length > 1) throw new Error(`${found.length} limits are called ${name}`);
  return limit;
}

function* everyRow(): Work<Record<string, readonly unknown[]>> {
  const rows: Record<string, readonly unknown[]> = {};
  for (const table of TABLES) {
    const select = statement((db) => ({ compile: () => sql`select * from ${sql.table(table)}`.compile(db) }));
    rows[table] = yield* all(select, {});
  }
  return rows;
}

/** The whole ledger, to compare before and after. */
export async function rowsOf(ledger: Ledger): Promise<Record<string, readonly unknown[]>> {
  return await ledger.read(everyRow);
}

/** Every balance, rollup and total agrees with the charges and holds. */
export async function isClean(world: World): Promise<boolean> {
  return (await world.call("verify_ledger")).ok === true;
}
