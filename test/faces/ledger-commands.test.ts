// top and the ledgers at the terminal: tables and bars for people, --json for programs, faults that say how to mend.
import { expect, test } from "vitest";
import { modern } from "./clients.ts";
import { newRoom, type Room } from "./room.ts";

const POLICY = `
workspace: { id: acme }
agents:
  - { id: ada, role: researcher, budget: { maxCostCents: 100 } }
  - { id: bob }
`;

/** Ada succeeds and fails, bob is still at it. */
async function workedRoom(): Promise<Room> {
  const room = newRoom(POLICY);
  const agent = await modern(room);
  const report = { input_tokens: 1000, output_tokens: 200 };
  for (const status of ["success", "error"]) {
    const { session_id } = (await agent.call("open_session", { agent_id: "ada", user_id: "carol" })).data;
    await agent.call("report_usage", {
      session_id,
      ...report,
      cost_usd: 0.3,
      error: status === "error" ? "It broke." : undefined,
    });
    await agent.call("end_session", { session_id, status, ...(status === "error" ? { error: "Gave up" } : {}) });
  }
  const { session_id } = (await agent.call("open_session", { agent_id: "bob" })).data;
  await agent.call("report_usage", { session_id, ...report, cost_usd: 0.1 });
  await agent.leave();
  return room;
}

test("top ranks the agents with bars, in any of its orders", async () => {
  const room = await workedRoom();
  const [byCost, byFitness, byTokens] = await room.runAll([
    ["top"],
    ["top", "--sort", "fitness", "--period", "day"],
    ["top", "--sort", "tokens", "--limit", "1"],
  ]);
  expect(byCost).toMatchObject({ code: 0, stderr: "" });
  expect(byCost?.stdout).toMatch(/^By cost, \d{4}-\d\d-01 to \d{4}-\d\d-\d\d\n/);
  expect(byCost?.stdout).toMatch(/^1 {2}ada +█{10} +\$0\.60 +2,400 +2 +50 % +[\d.]+ s +█{5,6}·+ 0\.\d{3}$/m);
  expect(byCost?.stdout).toMatch(/^2 {2}bob +█{2}·{8} +\$0\.10 +1,200 +0 +- +- +-$/m);
  expect(byFitness?.stdout).toMatch(/^By fitness, \d{4}-\d\d-\d\d\n/);
  expect(byFitness?.stdout).toMatch(/^1 {2}ada +\$0\.60/m);
  expect(byTokens?.stdout).toMatch(/^1 {2}ada/m);
  expect(byTokens?.stdout).toContain("Left out: 1 agent (--limit).");
  expect(await room.json(["top", "--sort", "executions"])).toMatchObject({
    sort: "executions",
    agents: [
      { agent_id: "ada", executions: 2 },
      { agent_id: "bob", executions: 0, fitness: null },
    ],
  });
});

test("top agent shows each hour of a day", async () => {
  const room = await workedRoom();
  const { code, stdout } = await room.run(["top", "agent", "ada"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Agent ada, \S+ to \S+: \$0\.60, 2,400 tokens, 0 tool calls, 2 executions\n/);
  expect(stdout.match(/^\d{4}-\d\d-\d\dT\d\d /gm)).toHaveLength(24);
  expect((await room.json(["top", "agent", "ada", "--period", "week"])).hours).toHaveLength(168);
  const nobody = await room.run(["top", "agent", "nobody"]);
  expect([nobody.code, nobody.stdout]).toEqual([4, ""]);
  expect(nobody.stderr).toContain("There is no such agent");
});

test("the ledgers are tables, narrowed and paged", async () => {
  const room = await workedRoom();
  const [log, errors, page, roles, users] = await room.runAll([
    ["ledger", "executions"],
    ["ledger", "executions", "--outcome", "error", "--agent", "ada", "--role", "researcher", "--user", "carol"],
    ["ledger", "executions", "--limit", "1"],
    ["ledger", "roles"],
    ["ledger", "user-roles", "--user", "carol"],
  ]);
  expect(log?.stdout).toMatch(
    /^ses_\w+ +ada +researcher +carol +error +\S+Z +[\d.]+ s +\$0\.30 +0 +1 +0\.000 +Gave up$/m,
  );
  expect(log?.stdout).toMatch(
    /^ses_\w+ +ada +researcher +carol +success +\S+Z +[\d.]+ s +\$0\.30 +0 +0 +0\.9\d\d +-$/m,
  );
  expect(errors?.stdout.match(/^ses_/gm)).toHaveLength(1);
  const cursor = /There is more: --cursor (\S+)/.exec(page?.stdout ?? "")?.[1] ?? "";
  expect((await room.run(["ledger", "executions", "--cursor", cursor])).stdout.match(/^ses_/gm)).toHaveLength(1);
  expect(roles?.stdout).toMatch(/^researcher +2 +50 % .* \$0\.60 +█{5,6}·+ 0\.\d{3}$/m);
  expect(users?.stdout).toMatch(/^carol +researcher +2 +50 %/m);
  expect((await room.json(["ledger", "roles"])).roles).toMatchObject([{ role: "researcher", executions: 2 }]);
});

test("what is asked wrongly is refused with what would be right, and an empty ledger says what it waits for", async () => {
  const room = await workedRoom();
  const [many, year] = await room.runAll([
    ["top", "--limit", "101"],
    ["top", "--period", "year"],
  ]);
  expect([many?.code, many?.stdout]).toEqual([2, ""]);
  expect(many?.stderr).toContain("--limit: expected at most 100");
  expect(year?.stderr).toContain("--period: expected one of day, week, month");
  const empty = newRoom(POLICY);
  expect((await empty.run(["top"])).stdout).toContain("No agent spent or finished anything in this time.");
  expect((await empty.run(["ledger", "roles"])).stdout).toContain("No session has ended yet.");
});
