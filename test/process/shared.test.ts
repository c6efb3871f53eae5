// Two or eight servers on one ledger are one budget: what one does, or the operator orders, all see at once.
import { expect, test } from "vitest";
import { newRoom } from "../faces/room.ts";
import { ask, expectClean, gone, leaveAll, noonZone, report, sleep, startServers } from "./servers.ts";

const policy = (cap: number) => `
workspace: { timezone: "${noonZone()}" }
teams: [{ id: blue, dailyCostLimitUsd: ${cap} }]
agents: [{ id: ada, team: blue }, { id: bob, team: blue }]
`;

test.each([2, 8])("%i servers see each other's spend in the very next answer", async (count) => {
  const room = newRoom(policy(5));
  const servers = await startServers(room, count);
  const sessions = await Promise.all(servers.map((server) => ask(server, "open_session", { agent_id: "ada" })));
  let spent = 0;
  for (const [i, server] of servers.entries()) {
    await report(server, { session_id: sessions[i]?.session_id, cost_usd: 0.05 });
    spent += 0.05;
    const others = await Promise.all(servers.map((other) => ask(other, "check_budget", { agent_id: "ada" })));
    for (const { daily_spent_usd } of others) expect(daily_spent_usd).toBeCloseTo(spent, 9);
  }
  await leaveAll(servers);
  await expectClean(room);
});

test("a stop from the command line is seen by every running server at once, and so is its end", async () => {
  const room = newRoom(policy(5));
  const servers = await startServers(room, 3);
  const sessions = await Promise.all(servers.map((server) => ask(server, "open_session", { agent_id: "ada" })));
  const decisions = () =>
    Promise.all(
      servers.map(async (server, i) => {
        const session_id = sessions[i]?.session_id;
        const answers = [
          await ask(server, "check_budget", { session_id }),
          await report(server, { session_id, cost_usd: 0.01 }),
          await ask(server, "open_session", { agent_id: "ada" }),
        ];
        return answers.map(({ verdict }) => verdict);
      }),
    );
  for (const scope of [["--agent", "ada"], ["--team", "blue"], ["--all"]]) {
    expect(await room.run(["stop", ...scope, "--reason", "too dear"])).toMatchObject({ code: 0 });
    for (const verdict of (await decisions()).flat()) {
      expect(verdict.decision).toBe("deny");
      expect(verdict.message).toContain("too dear");
    }
    expect(await room.run(["resume", ...scope])).toMatchObject({ code: 0 });
    for (const verdict of (await decisions()).flat()) expect(verdict.decision).toBe("allow");
  }
  await leaveAll(servers);
  // What was reported while stopped was recorded all the same.
  expect(await room.json(["costs"])).toMatchObject({ charges: 18 });
  await expectClean(room);
});

test("an edited astra.yml takes effect in a running server; a broken one is reported and the old one stays", async () => {
  const room = newRoom(policy(5));
  const [server] = await startServers(room, 1);
  if (!server) return;
  const { session_id } = await ask(server, "open_session", { agent_id: "ada" });
  const limit = async () => (await ask(server, "check_budget", { session_id })).daily_limit_usd;
  expect(await limit()).toBe(5);
  room.write("astra.yml", policy(0.2));
  expect(await limit()).toBe(0.2);
  const over = await report(server, { session_id, cost_usd: 0.3 });
  expect(over.verdict).toMatchObject({ decision: "deny", binding: { scope: "team" } });
  const before = server.stderr();
  room.write("astra.yml", "teams: [{ id: blue, dailyCostLimitUsd: plenty }]\n");
  expect(await limit()).toBe(0.2);
  expect(await limit()).toBe(0.2);
  await sleep(100);
  const told = server.stderr().slice(before.length);
  expect(told).toMatch(/astra\.yml:1:\d+ teams\[0\]\.dailyCostLimitUsd/);
  expect(told.match(/the old one stays/g)).toHaveLength(1);
  room.write("astra.yml", policy(7));
  expect(await limit()).toBe(7);
  expect((await ask(server, "check_budget", { session_id })).verdict.decision).toBe("allow");
  await server.leave();
});

test("a hold outlives its killed process, and its time frees it for the others", async () => {
  const room = newRoom(policy(1));
  const [doomed, other] = await startServers(room, 2);
  if (!doomed || !other) return;
  const { session_id } = await ask(doomed, "open_session", { agent_id: "ada" });
  const mine = await ask(other, "open_session", { agent_id: "bob" });
  const all = { estimate: { cost_usd: 1 }, hold: true, hold_ttl_ms: 2_000 };
  const from = Date.now();
  expect((await ask(doomed, "check_budget", { session_id, ...all })).hold_id).toMatch(/^hld_/);
  process.kill(doomed.pid, "SIGKILL");
  await gone(doomed.pid);
  const refused = await ask(other, "check_budget", { session_id: mine.session_id, ...all });
  expect(refused).toMatchObject({ hold_id: null, verdict: { decision: "deny", binding: { scope: "team" } } });
  while (Date.now() < from + 2_050) await sleep(20);
  const admitted = await ask(other, "check_budget", { session_id: mine.session_id, ...all });
  expect(admitted.hold_id).toMatch(/^hld_/);
  await other.leave();
  await expectClean(room);
});
