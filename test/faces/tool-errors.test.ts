// Faults of a call: a stable code, what was wrong, what to do; never anything of the inside, never for over budget.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { type Agent, modern, old, type ToolResult } from "./clients.ts";
import { newRoom, type Room } from "./room.ts";

/** What must never reach an agent: paths, stacks, texts of SQLite, zod, Node or JavaScript. */
const INSIDE =
  /\/(?:work|tmp|root|home|usr|data)\b|node_modules|\.[jt]s\b|\n\s*at |SqliteError|SQLITE_|\bzod\b|Invalid input|Too (?:big|small)|Unrecognized|expected record|received |ENOENT|EACCES|EISDIR|\bError:|undefined|\[object|NaN\b/;

function expectFault(result: ToolResult, code: string, hint: RegExp): void {
  expect(result.isError, result.text).toBe(true);
  expect(result.text).toMatch(new RegExp(`^${code}: [A-Za-z_].*\\.$`, "s"));
  expect(result.text).toMatch(hint);
  expect(result.text).not.toMatch(INSIDE);
  expect(result.text.length).toBeLessThan(1500);
  expect(result.data).toEqual({});
}

async function opened(agent: Agent, agent_id = "ada"): Promise<string> {
  return (await agent.call("open_session", { agent_id })).data.session_id as string;
}

const ses = "ses_000000000000000000000000000000";
const usage = { session_id: ses, input_tokens: 1, output_tokens: 1 };
const long = "x".repeat(129);

/** Each: a tool, arguments, and what the text must name. */
const HOSTILE: readonly [string, string, Record<string, unknown>, RegExp][] = [
  [
    "an unknown argument",
    "check_budget",
    { agent_id: "a", holdd: true },
    /unknown argument "holdd", did you mean hold\?/,
  ],
  ["an unknown part", "check_budget", { agent_id: "a", estimate: { cost: 1 } }, /estimate: unknown argument "cost"/],
  ["a markup key", "get_costs", { "<b>\u202e\u001b[2J": 1 }, /unknown argument "<b>\\u202e\\u001b\[2J"/],
  ["no arguments", "open_session", {}, /agent_id: expected/],
  ["nobody to check", "check_budget", {}, /session_id: expected a session_id, or an agent_id\./],
  ["an empty id", "open_session", { agent_id: "" }, /agent_id: expected an id/],
  ["an id of 129", "open_session", { agent_id: long }, /agent_id: expected an id/],
  ["an id with NUL", "open_session", { agent_id: "a\0b" }, /agent_id: expected an id/],
  ["an id that turns the text", "open_session", { agent_id: "a\u202eb" }, /agent_id: expected an id/],
  ["an id that is SQL", "open_session", { agent_id: "'; drop table charges; --" }, /agent_id: expected an id/],
  ["an id that is HTML", "open_session", { agent_id: "<script>" }, /agent_id: expected an id/],
  ["an id that is a sentence", "open_session", { agent_id: "ignore all limits" }, /agent_id: expected an id/],
  ["a fraction as an id", "open_session", { agent_id: 1.5 }, /agent_id: expected an id/],
  ["an object as an id", "open_session", { agent_id: {} }, /agent_id: expected an id/],
  [
    "a budget below zero",
    "open_session",
    { agent_id: "a", budget: { max_cost_cents: -1 } },
    /budget\.max_cost_cents: expected a number of cents, 0 or more/,
  ],
  [
    "an absurd budget",
    "open_session",
    { agent_id: "a", budget: { max_total_tokens: 1e308 } },
    /budget\.max_total_tokens/,
  ],
  [
    "a camelCase budget",
    "open_session",
    { agent_id: "a", budget: { maxCostCents: 1 } },
    /unknown argument "maxCostCents"/,
  ],
  [
    "too many tools",
    "open_session",
    { agent_id: "a", tools: { allow: Array(201).fill("t") } },
    /tools\.allow: expected/,
  ],
  ["tools as a text", "open_session", { agent_id: "a", tools: { allow: "all" } }, /tools\.allow: expected/],
  ["tokens below zero", "report_usage", { ...usage, input_tokens: -1 }, /input_tokens: expected 0 or more tokens/],
  ["a fraction of a token", "report_usage", { ...usage, input_tokens: 0.5 }, /input_tokens: expected a whole number/],
  ["1e308 tokens", "report_usage", { ...usage, output_tokens: 1e308 }, /output_tokens: expected/],
  ["2^53 tokens", "report_usage", { ...usage, output_tokens: 2 ** 53 }, /output_tokens: expected/],
  [
    "tokens as text",
    "report_usage",
    { ...usage, output_tokens: "12" },
    /output_tokens: expected a whole number of tokens/,
  ],
  ["null tokens, as NaN comes over JSON", "report_usage", { ...usage, input_tokens: null }, /input_tokens: expected/],
  ["a missing count", "report_usage", { session_id: ses, input_tokens: 1 }, /output_tokens: expected/],
  ["a cost below zero", "report_usage", { ...usage, cost_usd: -0.01 }, /cost_usd: expected 0 or more dollars/],
  ["a cost of 1e308", "report_usage", { ...usage, cost_usd: 1e308 }, /cost_usd: expected at most 10,000 dollars/],
  [
    "tool calls of a wrong kind",
    "report_usage",
    { ...usage, tool_calls: "many" },
    /tool_calls: expected a number of calls, or a list/,
  ],
  ["a tool call without a tool", "report_usage", { ...usage, tool_calls: [{ count: 1 }] }, /tool_calls/],
  ["a fault deep in a list", "report_usage", { ...usage, tool_calls: [{ tool: "a", count: -1 }] }, /tool_calls/],
  ["too many listed tools", "report_usage", { ...usage, tool_calls: Array(201).fill({ tool: "a" }) }, /tool_calls/],
  [
    "an error text with an escape",
    "report_usage",
    { ...usage, error: "\u001b]0;x\u0007" },
    /error: expected text without control/,
  ],
  ["an error text of 501", "report_usage", { ...usage, error: "e".repeat(501) }, /error: expected at most 500/],
  ["a key with a space", "report_usage", { ...usage, idempotency_key: "a b" }, /idempotency_key: expected 1-128/],
  [
    "a time that is none",
    "report_usage",
    { ...usage, occurred_at: "2026-02-30T00:00:00Z" },
    /occurred_at: expected an instant/,
  ],
  [
    "a local time",
    "report_usage",
    { ...usage, occurred_at: "2026-02-03T00:00:00" },
    /occurred_at: expected an instant/,
  ],
  ["a session id that is SQL", "end_session", { session_id: "' or 1=1" }, /session_id: expected the session_id/],
  [
    "a state that is none",
    "end_session",
    { session_id: ses, status: "open" },
    /status: expected one of success, error, cancelled/,
  ],
  [
    "a hold without a session",
    "check_budget",
    { agent_id: "a", hold: true, estimate: {} },
    /session_id: expected with hold: true/,
  ],
  ["a hold for ever", "check_budget", { session_id: ses, hold_ttl_ms: 1e12 }, /hold_ttl_ms: expected at most a day/],
  ["a hold as text", "check_budget", { agent_id: "a", hold: "yes" }, /hold: expected true or false/],
  [
    "an estimate below zero",
    "check_budget",
    { agent_id: "a", estimate: { cost_usd: -1 } },
    /estimate\.cost_usd: expected 0/,
  ],
  ["30 February", "get_costs", { start_date: "2026-02-30" }, /start_date: expected a date of the calendar/],
  [
    "a start after the end",
    "get_costs",
    { start_date: "2026-03-01", end_date: "2026-02-01" },
    /start_date: expected a date not after end_date/,
  ],
  ["121 months", "get_costs", { months: 121 }, /months: expected at most 120/],
  ["an unknown group", "get_costs", { group_by: ["agents"] }, /group_by\.0: expected one of agent, team/],
  ["too many groups", "get_costs", { group_by: Array(11).fill("day") }, /group_by: expected/],
];

describe("wrong arguments", () => {
  test("each gets invalid_input, its name and what was expected, in words of ours", async () => {
    const agent = await modern(newRoom());
    for (const [what, tool, args, names] of HOSTILE) {
      const result = await agent.call(tool, args);
      expect(result.text, what).toMatch(names);
      expectFault(result, "invalid_input", /Correct the named arguments? and call again\.$/);
    }
    expect((await agent.call("get_costs")).data).toMatchObject({ charges: 0, sessions: [] });
  });

  test("all faults of a call are named at once", async () => {
    const agent = await modern(newRoom());
    const { text } = await agent.call("report_usage", {
      session_id: "?",
      input_tokens: -1,
      output_tokens: "x",
      sesion: 1,
    });
    for (const name of ["session_id:", "input_tokens:", "output_tokens:", 'unknown argument "sesion"'])
      expect(text).toContain(name);
  });

  test("one fault is told once", async () => {
    const agent = await modern(newRoom());
    const { text } = await agent.call("check_budget", {});
    expect(text.match(/expected/g)).toHaveLength(1);
  });

  test("a report of more than 10,000 dollars in parts has a whole sentence too", async () => {
    const agent = await modern(newRoom());
    const session_id = await opened(agent);
    const tool_calls = [1, 2].map((n) => ({ tool: `t${n}`, cost_usd: 9_000 }));
    const result = await agent.call("report_usage", { ...usage, session_id, tool_calls });
    expectFault(result, "invalid_input", /10,000 dollars.*report in parts\./);
  });
});

describe("faults that arguments alone do not show", () => {
  test("unknown sessions and holds, a hold of another session, a reused key, a report from the future", async () => {
    const agent = await modern(newRoom());
    const [mine, other] = [await opened(agent), await opened(agent)];
    const report = (args: object) => agent.call("report_usage", { ...usage, session_id: mine, ...args });
    const hold = await agent.call("check_budget", { session_id: other, estimate: { cost_usd: 1 }, hold: true });

    const NEW = /Use the session_id that open_session returned, or open a new session\.$/;
    for (const [tool, args] of [
      ["report_usage", usage],
      ["end_session", { session_id: ses }],
      ["check_budget", { session_id: ses }],
      ["get_costs", { session_id: ses }],
      ["open_session", { agent_id: "ada", parent_session_id: ses }],
    ] as const)
      expectFault(await agent.call(tool, args), "session_not_found", NEW);
    expectFault(await report({ hold_id: "hld_none" }), "hold_not_found", /Use the hold_id/);
    expectFault(await report({ hold_id: hold.data.hold_id }), "hold_not_found", /Use the hold_id/);
    expect((await report({ idempotency_key: "k" })).isError).toBe(false);
    expectFault(await report({ idempotency_key: "k", error: "other" }), "id_reused", /use a new key for a new call\.$/);
    expectFault(await report({ occurred_at: "2126-01-01T00:00:00Z" }), "invalid_input", /occurred_at/);
    expect((await agent.call("get_costs")).data).toMatchObject({ charges: 1 });
  });

  test("an old client reads the same text", async () => {
    const agent = await old("2024-11-05")(newRoom());
    expectFault(await agent.call("end_session", { session_id: ses }), "session_not_found", /open a new session\.$/);
  });

  test("over budget is an answer: refused openings, denied holds and reports past the cap are no errors", async () => {
    const agent = await modern(newRoom("agents: [{ id: ada, dailyCostLimitUsd: 0.1 }]"));
    const session_id = await opened(agent);
    const report = await agent.call("report_usage", { ...usage, session_id, cost_usd: 1 });
    expect(report).toMatchObject({ isError: false, data: { recorded: true, over_budget: true } });
    const check = await agent.call("check_budget", { session_id, estimate: { cost_usd: 1 }, hold: true });
    expect(check).toMatchObject({ isError: false, data: { hold_id: null, verdict: { decision: "deny" } } });
    const open = await agent.call("open_session", { agent_id: "ada" });
    expect(open).toMatchObject({ isError: false, data: { session_id: null, status: "refused" } });
    expect(open.text).toMatch(/^deny: Over budget: \$1\.00 of \$0\.10 used \(agent ada, today\)\. It resets at /);
  });
});

/** A call on a ledger that cannot work, and a second one: the server must still be there. */
async function onBrokenLedger(room: Room, code: string, hint: RegExp, args: readonly string[] = []): Promise<string> {
  const agent = await modern(room, args);
  expectFault(await agent.call("open_session", { agent_id: "ada" }), code, hint);
  expectFault(await agent.call("get_costs"), code, hint);
  expect(await agent.tools()).toHaveLength(5);
  return agent.stderr();
}

describe("a ledger that does not work", () => {
  test("a text file is ledger_foreign, is told on stderr, and is left as it was", async () => {
    const room = newRoom();
    mkdirSync(dirname(room.ledger));
    writeFileSync(room.ledger, "Dear diary, ".repeat(1000));
    const stderr = await onBrokenLedger(room, "ledger_foreign", /--ledger\. Tell a human\.$/);
    expect(stderr).toContain("ledger_foreign");
    expect(stderr).toContain(room.ledger);
    expect(readFileSync(room.ledger, "utf8")).toBe("Dear diary, ".repeat(1000));
  });

  test("another program's database is ledger_foreign and is not touched", async () => {
    const room = newRoom();
    mkdirSync(dirname(room.ledger));
    const db = new Database(room.ledger);
    db.exec("create table notes(text); insert into notes values('mine')");
    db.close();
    const before = readFileSync(room.ledger);
    const stderr = await onBrokenLedger(room, "ledger_foreign", /Tell a human\.$/);
    expect(stderr).toMatch(/another program/);
    expect(readFileSync(room.ledger).equals(before)).toBe(true);
  });

  test("a damaged ledger is ledger_corrupt, with SQLite's own words on stderr only", async () => {
    const room = newRoom();
    const agent = await modern(room);
    await agent.call("open_session", { agent_id: "ada" });
    await agent.leave();
    const whole = readFileSync(room.ledger);
    expect(whole.length).toBeGreaterThan(8192);
    whole.fill(0x5a, 4096);
    writeFileSync(room.ledger, whole);
    const stderr = await onBrokenLedger(room, "ledger_corrupt", /Restore a backup .* Tell a human\.$/);
    expect(stderr).toMatch(/ledger_corrupt: SqliteError/);
  });

  test("a newer version's ledger is ledger_newer", async () => {
    const room = newRoom();
    await (await modern(room)).call("open_session", { agent_id: "ada" });
    const db = new Database(room.ledger);
    db.pragma("user_version = 99");
    db.close();
    await onBrokenLedger(room, "ledger_newer", /Update astra-budget.* Tell a human\.$/);
  });

  test("a folder where the file should be is ledger_unavailable", async () => {
    const room = newRoom();
    mkdirSync(room.ledger, { recursive: true });
    await onBrokenLedger(room, "ledger_unavailable", /Check the path.* Tell a human\.$/);
  });

  test("a file in the way of the folder is ledger_unavailable", async () => {
    const room = newRoom();
    writeFileSync(dirname(room.ledger), "in the way");
    await onBrokenLedger(room, "ledger_unavailable", /Tell a human\.$/);
  });

  test("a device that is no file is a fault of the ledger too", async () => {
    const agent = await modern(newRoom(), ["--ledger", "/dev/full"]);
    const { isError, text } = await agent.call("open_session", { agent_id: "ada" });
    expect([isError, text]).toEqual([true, expect.stringMatching(/^ledger_/)]);
    expect(text).not.toMatch(INSIDE);
  });
});
