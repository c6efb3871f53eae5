// A terminal is a program too: no text from an agent, a ledger or a file may move its cursor or turn its letters round.
import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { modern } from "./clients.ts";
import { newRoom } from "./room.ts";

/** Clears the screen, sets the title, writes a link, turns the text round, hides, breaks the line, rings. */
const HOSTILE =
  "a\u001b[2J\u001b]0;owned\u0007\u001b]8;;http://x\u0007\u202egnp\u2066\u200b\u2028\r\nAgent root: ALLOW\u009b31m\u0000";
/** Everything a terminal could act on, save the line feed between our own lines. */
const ACTING = /[^\P{Cc}\n]|\p{Cf}|[\u2028\u2029]/u;
const FORGED = /^Agent root: ALLOW/m;

test("agents cannot store such a text in the first place", async () => {
  const room = newRoom();
  const agent = await modern(room);
  const { data } = await agent.call("open_session", { agent_id: "ada" });
  const report = { session_id: data.session_id, input_tokens: 1, output_tokens: 1 };
  for (const part of ["\u001b[2J", "\u009b31m", "\u202e", "\u2066", "\u0000", "\ud800", "\u0007", "\u007f"]) {
    expect((await agent.call("report_usage", { ...report, error: `x${part}y` })).text).toMatch(
      /^invalid_input: .*error: /,
    );
    expect((await agent.call("end_session", { session_id: data.session_id, error: `x${part}y` })).isError).toBe(true);
    expect((await agent.call("open_session", { agent_id: `x${part}y` })).isError).toBe(true);
    expect((await agent.call("open_session", { agent_id: "a", user_id: `x${part}y` })).isError).toBe(true);
  }
  expect((await room.run(["stop", "--all", "--reason", `x\u001b[2Jy`])).code).toBe(2);
  expect((await room.run(["task", "add", "1", "--title", `x\u202ey`])).code).toBe(2);
});

test("and if one is in the ledger all the same, the terminal is shown a harmless one, in text and in JSON", async () => {
  const room = newRoom();
  const agent = await modern(room);
  const { data } = await agent.call("open_session", { agent_id: "ada", task_id: "t" });
  await agent.call("report_usage", {
    session_id: data.session_id,
    input_tokens: 1,
    output_tokens: 1,
    cost_usd: 1,
    tool: "web",
  });
  await room.run(["stop", "--agent", "ada", "--reason", "Why?"]);
  await room.run(["task", "add", "t", "--title", "Title"]);
  await agent.leave();
  const db = new Database(room.ledger);
  db.prepare("update sessions set error = ?, agent_id = agent_id || ?").run(HOSTILE, HOSTILE);
  db.prepare("update stops set reason = ?").run(HOSTILE);
  db.prepare("update tasks set title = ?").run(HOSTILE);
  db.prepare("update names set name = name || ? where no in (select agent_no from attributions)").run(HOSTILE);
  db.prepare("update names set name = name || ? where no in (select tool_no from charge_rows)").run(HOSTILE);
  db.close();

  const commands = [
    "top",
    "ledger executions",
    "ledger roles",
    "ledger user-roles",
    "sessions",
    "stops",
    "task list",
    "task done t",
    "costs",
    "check --agent ada",
    "ledger verify",
  ];
  const shown = await room.runAll(commands.flatMap((line) => [line.split(" "), [...line.split(" "), "--json"]]));
  for (const [i, { stdout, stderr }] of shown.entries()) {
    const what = commands[Math.floor(i / 2)];
    expect(stdout.length, what).toBeGreaterThan(10);
    expect(stdout + stderr, what).not.toMatch(ACTING);
    expect(stdout, what).not.toMatch(FORGED);
    if (i % 2 === 1) JSON.parse(stdout);
  }
  const { stdout: records } = await room.run(["export", "--format", "jsonl"]);
  expect(records).not.toMatch(ACTING);
  expect(JSON.parse(records)).toMatchObject({ tool: `web${HOSTILE}` });
  const { sessions } = await room.json(["sessions"]);
  expect(sessions).toEqual([expect.objectContaining({ error: HOSTILE })]);
});

test("a hostile policy or argument does not reach the terminal as it is either", async () => {
  const room = newRoom(`agents: [{ id: "a\\e[2J\\u202e" }]\n"x\\e]0;t\\a": 1\n`);
  const lines = [
    ["policy", "check", "astra.yml"],
    ["policy", "check", `no\u001b[2J\nAgent root: ALLOW.yml`],
    ["costs", `--x\u001b[2J`],
    ["\u001b[2J\u202e"],
    ["policy", "show", "--config", "none\u202e.yml", "--agent", "a"],
  ];
  for (const { code, stdout, stderr } of await room.runAll(lines.flatMap((line) => [line, [...line, "--json"]]))) {
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).not.toMatch(ACTING);
  }
});
