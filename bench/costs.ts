// get_costs as the ledger grows: a million charges against ten thousand of the same shape.
import { join } from "node:path";
import { openSqlite } from "../src/ledger/sqlite.ts";
import { getCosts } from "../src/operations/get-costs.ts";
import { invoke, type Principal } from "../src/operations/operation.ts";
import { verifyLedger } from "../src/operations/verify-ledger.ts";
import { load } from "./load.ts";
import { alone, contextOn, inFolder, type Row, sideBySide } from "./measure.ts";

const FEW = 10_000;
const MANY = 1_000_000;
const ROUNDS = 40;
const AGENT: Principal = { kind: "agent", agentId: null };
const OPERATOR: Principal = { kind: "operator", actor: "bench" };

const QUESTIONS = [
  { measure: "get_costs over 1 M charges (default), against 10 k", input: {}, target: { most: 2 } },
  { measure: "  one agent", input: { agent_id: "agent-7" }, target: null },
  { measure: "  by model, the last 7 days", input: { group_by: ["model"], days: 7 }, target: null },
  { measure: "  by user, 3 months", input: { group_by: ["user"] }, target: null },
] as const;

export async function costs(): Promise<Row[]> {
  return await inFolder(async (folder) => {
    const open = async (charges: number) => {
      const file = join(folder, `${charges}.db`);
      await load(file, charges, Date.now());
      return await openSqlite(file);
    };
    const ledgers = { few: await open(FEW), many: await open(MANY) };
    const contexts = { few: contextOn(ledgers.few), many: contextOn(ledgers.many) };
    const found = await invoke(verifyLedger, contexts.few, OPERATOR, {});
    if (!found.ok || found.charges !== FEW) throw new Error(`the loaded ledger is not right: ${JSON.stringify(found)}`);

    const rows: Row[] = [];
    for (const { measure, input, target } of QUESTIONS) {
      const times = { few: [] as number[], many: [] as number[] };
      for (let round = -3; round < ROUNDS; round++) {
        for (const side of ["few", "many"] as const) {
          const from = performance.now();
          await invoke(getCosts, contexts[side], AGENT, input);
          if (round >= 0) times[side].push(performance.now() - from);
        }
      }
      rows.push({ measure, ...sideBySide(times.many, times.few), unit: "ms", target });
    }
    await Promise.all([ledgers.few.close(), ledgers.many.close()]);
    return rows;
  });
}

await alone(import.meta.main, costs);
