// A process of its own that asks, as a viewer, every question it is given about users, and prints what it was told.
import { contextOver } from "../../src/context.ts";
import { openSqlite } from "../../src/ledger/sqlite.ts";
import { getCosts } from "../../src/operations/get-costs.ts";
import { invoke } from "../../src/operations/operation.ts";
import { policyOf } from "../world.ts";

const [file = "", policy = "{}", questions = "[]", startAt = "0"] = process.argv.slice(2);
const fixed = policyOf(JSON.parse(policy));
const context = contextOver(await openSqlite(file), () => fixed);
const viewer = { kind: "viewer", actor: "key_viewer" } as const;

await new Promise((done) => setTimeout(done, Math.max(0, Number(startAt) - Date.now())));
const answers = await Promise.all(
  (JSON.parse(questions) as Record<string, unknown>[]).map((args) => invoke(getCosts, context, viewer, args)),
);
await context.ledger.close();
process.stdout.write(JSON.stringify(answers.map(({ by_user, privacy }) => ({ by_user, privacy }))));
