// Bad input: each fault is told by its code and its argument, and nothing of the call is written.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { OPERATOR, WIDE, type World, worldOf } from "../world.ts";
import { faultOf, faultText, isClean, rowsOf } from "./witness.ts";

let world: World;
let session_id: string;
let hold_id: string | null;
let before: unknown;

beforeEach(async () => {
  world = await worldOf({ policy: { hardCaps: WIDE, agents: [{ id: "ada", dailyCostLimitUsd: 100 }] } });
  session_id = (await world.open({ task_id: 594 })).session_id;
  await world.report({ session_id, cost_usd: 1, tool_calls: [{ tool: "web" }], idempotency_key: "first" });
  hold_id = (await world.check({ session_id, hold: true, estimate: { cost_usd: 2 } })).hold_id;
  before = await rowsOf(world.ledger);
});

afterEach(async () => {
  expect(await rowsOf(world.ledger)).toEqual(before);
  expect(await isClean(world)).toBe(true);
});

const report = (args: Record<string, unknown>) => faultText(world.report({ session_id, hold_id, ...args }));

/** What JSON cannot even say, and what it can and no amount is. */
const NO_NUMBERS: [string, unknown][] = [
  ["a string", "5"],
  ["null", null],
  ["true", true],
  ["a list", [1]],
  ["an object", { valueOf: 5 }],
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
  ["a bigint", 5n],
];

describe("amounts", () => {
  const TOKENS = ["input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens"];

  test.each(TOKENS)("%s are whole numbers from 0 to a billion", async (field) => {
    for (const [, value] of NO_NUMBERS) {
      expect(await report({ [field]: value })).toBe(
        `invalid_input: ${field} expected a whole number of tokens, 0 to 1,000,000,000`,
      );
    }
    expect(await report({ [field]: -1 })).toBe(`invalid_input: ${field} expected 0 or more tokens`);
    expect(await report({ [field]: 0.5 })).toBe(`invalid_input: ${field} expected a whole number of tokens`);
    for (const value of [1_000_000_001, 2 ** 53, 1e308]) {
      expect(await report({ [field]: value })).toContain(
        `${field} expected at most 1,000,000,000 tokens; report in parts`,
      );
    }
  });

  test("cost_usd is a number from 0 to 10,000", async () => {
    for (const [, value] of NO_NUMBERS) {
      expect(await report({ cost_usd: value })).toBe(
        "invalid_input: cost_usd expected a number of dollars, 0 to 10,000",
      );
    }
    expect(await report({ cost_usd: -1e-12 })).toBe("invalid_input: cost_usd expected 0 or more dollars");
    for (const value of [10_000.000000001, 2 ** 53, 1e308]) {
      expect(await report({ cost_usd: value })).toBe(
        "invalid_input: cost_usd expected at most 10,000 dollars; report in parts",
      );
    }
  });

  test("a report that is priced above 10,000 dollars is refused like one that says so", async () => {
    const tokens = { output_tokens: 1_000_000_000, cache_write_tokens: 1_000_000_000 };
    const { code, message } = await faultOf(world.report({ session_id, ...tokens }));
    expect([code, message]).toEqual(["invalid_input", "this comes to more than 10,000 dollars; report in parts"]);
    const tool_calls = [
      { tool: "a", cost_usd: 9_999 },
      { tool: "b", cost_usd: 2 },
    ];
    expect(await report({ tool_calls })).toContain("this comes to more than 10,000 dollars");
  });

  test("tool_calls are a whole number up to a million, or a list of up to 200 with a tool each", async () => {
    const kind = "expected a number of calls, or a list of at most 200 {tool, count, cost_usd}";
    for (const [what, value] of NO_NUMBERS.filter(([name]) => name !== "a list")) {
      expect(await report({ tool_calls: value }), what).toBe(`invalid_input: tool_calls ${kind}`);
    }
    expect(await report({ tool_calls: -1 })).toBe("invalid_input: tool_calls expected 0 or more calls");
    expect(await report({ tool_calls: 1.5 })).toBe(`invalid_input: tool_calls ${kind}`);
    expect(await report({ tool_calls: 1_000_001 })).toBe("invalid_input: tool_calls expected at most 1,000,000 calls");
    expect(await report({ tool_calls: Array(201).fill({ tool: "a" }) })).toBe(`invalid_input: tool_calls ${kind}`);
    expect(await report({ tool_calls: [{ count: 2 }] })).toContain("invalid_input: tool_calls");
    expect(await report({ tool_calls: [{ tool: "a" }, { tool: "b", count: -2 }] })).toBe(
      "invalid_input: tool_calls.1.count expected 0 or more calls",
    );
    expect(await report({ tool_calls: [{ tool: "a", cost: 2 }] })).toBe(
      'invalid_input: tool_calls.0 unknown argument "cost", did you mean cost_usd?',
    );
  });

  test("the hour's cache writes are a part of all, latency is whole milliseconds of a day at most", async () => {
    expect(await report({ cache_write_tokens: 5, cache_write_1h_tokens: 6 })).toBe(
      "invalid_input: cache_write_1h_tokens expected at most cache_write_tokens, of which it is a part",
    );
    expect(await report({ latency_ms: -1 })).toBe("invalid_input: latency_ms expected 0 or more ms");
    expect(await report({ latency_ms: 0.5 })).toBe("invalid_input: latency_ms expected whole milliseconds");
    expect(await report({ latency_ms: 86_400_001 })).toBe("invalid_input: latency_ms expected at most a day");
  });

  test("of an estimate are held to the same", async () => {
    const check = (estimate: unknown) => faultText(world.check({ session_id, hold: true, estimate }));
    expect(await check({ input_tokens: -1, output_tokens: "5" })).toBe(
      "invalid_input: estimate.input_tokens expected 0 or more tokens estimate.output_tokens expected a whole number of tokens, 0 to 1,000,000,000",
    );
    expect(await check({ cost_usd: 1e308 })).toContain("estimate.cost_usd expected at most 10,000 dollars");
    expect(await check({ tool_calls: [{ tool: "a" }] })).toContain(
      "estimate.tool_calls expected a whole number of calls",
    );
    expect(await check({ input_token: 5 })).toBe(
      'invalid_input: estimate unknown argument "input_token", did you mean input_tokens?',
    );
    expect(await check(5)).toBe("invalid_input: estimate expected an object");
    for (const hold_ttl_ms of [999, 86_400_001, 1_000.5, "1000", Number.NaN]) {
      expect(await faultText(world.check({ session_id, hold_ttl_ms }))).toContain(
        "invalid_input: hold_ttl_ms expected",
      );
    }
    expect(await faultText(world.check({ session_id, hold: "yes" }))).toBe(
      "invalid_input: hold expected true or false",
    );
  });

  test("of a budget are numbers of their kind, named one by one", async () => {
    const budget = { max_cost_cents: -1, max_tool_calls: 1.5, max_duration: Number.NaN, max_child_agents: "5" };
    expect(await faultText(world.open({ budget }))).toBe(
      "invalid_input: budget.max_cost_cents expected a number of cents, 0 or more budget.max_tool_calls expected a whole number of calls budget.max_duration expected a whole number of milliseconds budget.max_child_agents expected a whole number of children",
    );
    expect(await faultText(world.open({ budget: { max_total_tokens: 2 ** 53 } }))).toContain("at most 1e12");
    expect(await faultText(world.open({ budget: { maxCostCents: 50 } }))).toBe(
      'invalid_input: budget unknown argument "maxCostCents", did you mean max_cost_cents?',
    );
  });
});

describe("ids", () => {
  const BAD_IDS = [
    "",
    "x".repeat(129),
    "a\0b",
    "a\u0007",
    "a\uD800",
    "\uDC00",
    "a\u202Eb",
    "a b",
    "x'; drop table charges; --",
    "<script>alert(1)</script>",
    "e\u0301",
    -1,
    1.5,
    2 ** 53,
    true,
    {},
    [],
    ["ada"],
  ];

  test("of callers are 1 to 128 letters, digits and . _ : @ / # + -, or integers", async () => {
    for (const id of BAD_IDS) {
      const what = JSON.stringify(id);
      for (const field of ["agent_id", "task_id", "model", "provider", "user_id", "role"]) {
        expect(await faultText(world.open({ [field]: id })), what).toContain(
          `invalid_input: ${field} expected an id: 1-128`,
        );
      }
      for (const field of ["model", "provider", "tool"]) {
        expect(await report({ [field]: id }), what).toContain(`invalid_input: ${field} expected an id: 1-128`);
      }
      for (const field of ["agent_id", "task_id", "team_id", "user_id", "provider"]) {
        expect(await faultText(world.costs({ [field]: id })), what).toContain(`invalid_input: ${field} expected an id`);
      }
      expect(await faultText(world.check({ agent_id: id })), what).toContain("invalid_input: agent_id");
      expect(await faultText(world.call("stop", { agent_id: id, reason: "x" }))).toContain("invalid_input: agent_id");
      expect(await faultText(world.open({ tools: { allow: ["a", id] } }))).toContain(
        "invalid_input: tools.allow.1 expected",
      );
    }
  });

  test("of ours are what was returned; whatever else is not ours, and one that could be is not found", async () => {
    const bad = [
      "",
      "SES_1",
      "a b",
      "ses-1",
      "x".repeat(65),
      "ses_1\n",
      "ses_1\0",
      "ses_\uD800",
      "1' or 1=1",
      5,
      null,
      {},
    ];
    for (const id of bad) {
      const told = "expected the session_id that was returned to you";
      expect(await report({ session_id: id })).toBe(`invalid_input: session_id ${told}`);
      expect(await faultText(world.end({ session_id: id }))).toBe(`invalid_input: session_id ${told}`);
      expect(await faultText(world.open({ parent_session_id: id }))).toBe(`invalid_input: parent_session_id ${told}`);
      expect(await report({ hold_id: id })).toBe(
        "invalid_input: hold_id expected the hold_id that was returned to you",
      );
    }
    for (const id of ["__proto__", "ses_0000010", "charge_000002", hold_id]) {
      expect(await report({ session_id: id })).toBe("session_not_found:");
      expect(await faultText(world.end({ session_id: id }))).toBe("session_not_found:");
      expect(await faultText(world.check({ session_id: id }))).toBe("session_not_found:");
      expect(await faultText(world.costs({ session_id: id }))).toBe("session_not_found:");
    }
    expect(await report({ hold_id: session_id })).toBe("hold_not_found:");
  });

  test("keys of repeats are printable ASCII, so that two of them are never one", async () => {
    const told = "invalid_input: idempotency_key expected 1-128 printable ASCII characters without spaces";
    for (const idempotency_key of ["", " ", "a b", "ä", "a\uD800", "a\uD801", "a\0", "a\n", "x".repeat(129)]) {
      expect(await report({ idempotency_key })).toBe(told);
      expect(await faultText(world.open({ idempotency_key }))).toBe(told);
    }
    expect(await report({ idempotency_key: 7 })).toContain("invalid_input: idempotency_key expected");
  });
});

describe("arguments", () => {
  test("that are unknown are named, with what was probably meant", async () => {
    for (const [argument, told] of [
      ['"costUsd": 1', '"costUsd", did you mean cost_usd?'],
      ['"cost_us": 1', '"cost_us", did you mean cost_usd?'],
      ['"inputTokens": 1', '"inputTokens", did you mean input_tokens?'],
      ['"cach_read_tokens": 1', '"cach_read_tokens", did you mean cache_read_tokens?'],
      ['"idempotencykey": "k"', '"idempotencykey", did you mean idempotency_key?'],
      ['"zebra": 1', '"zebra"'],
      ['"constructor": 1', '"constructor"'],
      ['"__proto__": {"cost_usd": 0}', '"__proto__"'],
      ['"a\\u202eb\\n": 1', '"a\\u202eb\\n"'],
    ] as const) {
      const args = JSON.parse(`{"session_id": "${session_id}", "input_tokens": 0, "output_tokens": 0, ${argument}}`);
      expect(await faultText(world.call("report_usage", args))).toBe(`invalid_input: unknown argument ${told}`);
    }
  });

  test("in another's words are refused and never read as zero: Entourage's tokens_in and tokens_out", async () => {
    const call = world.call("report_usage", { session_id, tokens_in: 2500, tokens_out: 800, cost_usd: 0.012 });
    expect(await faultText(call)).toBe(
      'invalid_input: input_tokens expected a whole number of tokens, 0 to 1,000,000,000 output_tokens expected a whole number of tokens, 0 to 1,000,000,000 unknown argument "tokens_in" unknown argument "tokens_out"',
    );
  });

  test("that are wrong by the thousand are told in a few lines", async () => {
    const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`key${i}`.padEnd(200, "x"), i]));
    const { faults } = await faultOf(world.report({ session_id, ...many }));
    expect(faults).toHaveLength(21);
    expect(faults.at(-1)?.message).toBe("and 4980 more faults");
    expect(JSON.stringify(faults).length).toBeLessThan(4_000);
  });

  test("are an object", async () => {
    for (const raw of ["x", 5, true, [], [{}]]) {
      expect(await faultText(world.call("report_usage", raw as never))).toBe("invalid_input: expected an object");
      expect(await faultText(world.call("get_costs", raw as never))).toBe("invalid_input: expected an object");
    }
    expect(await faultText(world.call("report_usage", null as never))).toContain("invalid_input: session_id expected");
  });

  test("of one call are all told at once, each by its path", async () => {
    const { code, message, hint, faults } = await faultOf(
      world.costs({ months: 0, start_date: "2026-02-30", limit: -1, group_by: ["agent", "x"], agent_id: "" }),
    );
    expect([code, message, hint]).toEqual([
      "invalid_input",
      "get_costs was called with wrong arguments.",
      "Correct the named arguments and call again.",
    ]);
    expect(faults.map(({ path }) => path).sort()).toEqual(["agent_id", "group_by.1", "limit", "months", "start_date"]);
  });

  test("of one of a few words name them", async () => {
    expect(await faultText(world.end({ session_id, status: "done" }))).toBe(
      "invalid_input: status expected one of success, error, cancelled",
    );
    expect(await faultText(world.call("update_task", { task_id: 1, status: "finished" }))).toBe(
      "invalid_input: status expected one of done, cancelled, open",
    );
    expect(await faultText(world.call("stop", { all: false, reason: "x" }))).toBe("invalid_input: all expected true");
  });
});

describe("texts and times", () => {
  test("free text has no control characters, overrides or broken Unicode, and an end", async () => {
    for (const error of ["a\0", "a\u0007b", "\u001b[31m", "a\u202Eb", "a\u2066b", "a\uD800", "x".repeat(501)]) {
      expect(await report({ error })).toContain("invalid_input: error expected");
      expect(await faultText(world.end({ session_id, error }))).toContain("invalid_input: error expected");
    }
    expect(await report({ error: 5 })).toBe("invalid_input: error expected a text of at most 500 characters");
  });

  test("a time is an instant with its offset, on a day that there is", async () => {
    const told = "invalid_input: occurred_at expected an instant such as 2026-11-22T13:00:00Z";
    for (const occurred_at of [
      "2026-02-30T00:00:00Z",
      "2026-11-22",
      "2026-11-22T12:00:00",
      "2026-11-22 12:00:00Z",
      "2026-11-22T24:00:00Z",
      "2026-11-22T12:60:00Z",
      "now",
      "",
      1_795_348_800_000,
      null,
    ]) {
      expect(await report({ occurred_at })).toBe(told);
    }
    expect(await report({ occurred_at: "2026-11-22T12:01:01Z" })).toContain(
      "occurred_at expected a time that is not in the future",
    );
    expect(await report({ occurred_at: "+275760-09-13T00:00:00Z" })).toContain("invalid_input: occurred_at");
  });

  test("a task has a title of one line, tags that are well formed, and known tasks before it", async () => {
    const add = (args: Record<string, unknown>) =>
      faultText(world.call("add_task", { task_id: "t", title: "T", ...args }, OPERATOR));
    for (const title of ["", "a\nb", "a\u202Eb", "x".repeat(201), 5]) {
      expect(await add({ title })).toContain("invalid_input: title expected a title of 1-200 characters");
    }
    for (const tag of ["budget:-1", "budget: 1", "Budget:1", "budget:1e9", "budget:NaN", "budget:"]) {
      expect(await add({ tags: ["ok", tag] })).toContain("invalid_input: tags.1 expected budget:USD");
    }
    expect(await add({ tags: Array(33).fill("a") })).toBe("invalid_input: tags expected at most 32 tags");
    expect(await add({ team_id: "nobody" })).toBe("team_not_found:");
    expect(await add({ depends_on: ["nobody"] })).toBe(
      "invalid_input: depends_on expected known tasks; nobody is not one",
    );
    expect(await add({ depends_on: Array(101).fill("a") })).toBe(
      "invalid_input: depends_on expected at most 100 entries",
    );
  });
});
