// get_policy's word on the policy's file: what is on disk now, told to those who may mend it and to nobody else.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openSqlite } from "../../src/ledger/sqlite.ts";
import { getPolicy } from "../../src/operations/get-policy.ts";
import { type Context, invoke, type Principal } from "../../src/operations/operation.ts";
import { workspaceOver } from "../../src/start.ts";
import { OPERATOR, worldOf } from "../world.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "astra-policy-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const OWNER: Principal = { kind: "owner", actor: "test" };
const OTHERS: readonly Principal[] = [
  { kind: "viewer", actor: "key_1" },
  { kind: "agent", agentId: "ada" },
  { kind: "agent", agentId: null },
];

/** As a server has it: over a file that is followed. */
async function workspace(content: string) {
  const file = join(folder, "astra.yml");
  writeFileSync(file, content);
  const ledger = await openSqlite(":memory:");
  const { context } = await workspaceOver(ledger, file);
  return { context, ledger, write: (text: string) => writeFileSync(file, text) };
}

const told = (context: Context, principal: Principal) => invoke(getPolicy, context, principal, {});

test("a broken file shows its faults to operators and owners while the old policy stays in force", async () => {
  const { context, ledger, write } = await workspace("warnAt: 0.5\n");
  const before = await told(context, OWNER);
  expect(before.file).toEqual({
    name: "astra.yml",
    in_force_since: expect.stringMatching(/^\d{4}-\d{2}-\d{2}T/),
    faults: [],
    notes: [],
  });
  write("workspace: {}\nwarnAt: 5\n");
  for (const principal of [OPERATOR, OWNER])
    expect(await told(context, principal)).toMatchObject({
      warn_at: 0.5,
      file: {
        name: "astra.yml",
        in_force_since: before.file?.in_force_since,
        faults: [{ line: 2, column: 9, path: "warnAt", message: expect.stringContaining("found 5, expected") }],
      },
    });
  expect(JSON.stringify(await told(context, OWNER))).not.toContain(folder);
  write("warnAt: 0.6\n");
  // The policy itself is looked at once a turn.
  await new Promise(setImmediate);
  expect(await told(context, OWNER)).toMatchObject({ warn_at: 0.6, file: { faults: [] } });
  await ledger.close();
});

test("viewers and agents are told nothing of the file", async () => {
  const { context, ledger, write } = await workspace("warnAt: 0.5\n");
  write("warnAt: 5\n");
  for (const principal of OTHERS) expect(await told(context, principal)).not.toHaveProperty("file");
  await ledger.close();
});

test("where no file is used, there is none", async () => {
  const { context } = await worldOf();
  expect((await told(context, OWNER)).file).toBeNull();
});
