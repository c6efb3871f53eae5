// Many accounts of one response become one, the same in whatever order and however often they are read.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MeteredResponse } from "../../src/core/metered.ts";
import { tokensOf } from "../../src/core/metered.ts";
import { type Account, type Collected, collect } from "../../src/meters/collected.ts";

const account = (change: Partial<MeteredResponse> = {}, isSidechain = false): Account => ({
  response: {
    responseId: "msg_1",
    model: "claude-sonnet-5",
    provider: null,
    occurredAt: 1000,
    inputTokens: 10,
    outputTokens: 1,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    cacheWrite1hTokens: 0,
    webSearches: 0,
    speed: "standard",
    region: null,
    toolCalls: [],
    ...change,
  },
  isSidechain,
});

function collected(accounts: readonly Account[]): Collected {
  const all: Collected = new Map();
  for (const one of accounts) collect(all, one);
  return all;
}

const outcome = (accounts: readonly Account[]) => [...collected(accounts)].sort(([a], [b]) => (a < b ? -1 : 1));
const bash = { id: "toolu_1", tool: "Bash" };
const read = { id: "toolu_2", tool: "Read" };

describe("collect", () => {
  test("counts a response once however many lines repeat it, with all their tool calls", () => {
    const lines = [account(), account({ toolCalls: [read] }), account({ toolCalls: [bash] })];
    expect(outcome(lines)).toEqual([["msg_1", account({ toolCalls: [bash, read] })]]);
  });

  test("keeps the account with the most tokens: earlier ones were written while the answer grew", () => {
    const final = account({ outputTokens: 150, occurredAt: 900 });
    expect(outcome([account(), final, account({ toolCalls: [bash] })])).toEqual([
      ["msg_1", account({ outputTokens: 150, occurredAt: 900, toolCalls: [bash] })],
    ]);
  });

  test("of two alike keeps the main conversation's own, then the later", () => {
    expect(outcome([account(), account({ occurredAt: 2000 }, true)])).toEqual([["msg_1", account()]]);
    expect(outcome([account({ occurredAt: 2000 }), account()])).toEqual([["msg_1", account({ occurredAt: 2000 })]]);
  });

  test("counts a subagent's response, and other responses separately", () => {
    const other = account({ responseId: "msg_2" }, true);
    expect(outcome([account(), other])).toEqual([
      ["msg_1", account()],
      ["msg_2", other],
    ]);
  });

  test("tells whether an account was news", () => {
    const all = collected([account({ toolCalls: [bash] })]);
    expect(collect(all, account({ toolCalls: [bash] }))).toBe(false);
    expect(collect(all, account())).toBe(false);
    expect(collect(all, account({ toolCalls: [read] }))).toBe(true);
    expect(collect(all, account({ outputTokens: 2 }))).toBe(true);
  });

  const few = fc.nat(2);
  const anyAccount = fc
    .record({
      responseId: fc.constantFrom("msg_1", "msg_2", "__proto__"),
      model: fc.constantFrom("a", "b"),
      provider: fc.constantFrom(null, "p"),
      occurredAt: few,
      inputTokens: few,
      outputTokens: few,
      cacheReadTokens: few,
      cacheWriteTokens: few,
      webSearches: few,
      speed: fc.constantFrom("standard" as const, "fast" as const),
      region: fc.constantFrom(null, "us" as const),
      toolCalls: fc.array(fc.record({ id: fc.constantFrom("1", "2", "3"), tool: fc.constantFrom("Bash", "Read") }), {
        maxLength: 3,
      }),
    })
    .chain((change) => fc.boolean().map((isSidechain) => account(change, isSidechain)));

  test("the outcome depends neither on the order nor on how often an account is read, and is never less than any", () => {
    const accounts = fc.array(anyAccount, { maxLength: 12 });
    const shuffled = accounts.chain((list) =>
      fc.tuple(
        fc.constant(list),
        fc.shuffledSubarray([...list, ...list], { minLength: list.length * 2, maxLength: list.length * 2 }),
      ),
    );
    fc.assert(
      fc.property(shuffled, ([list, again]) => {
        const all = collected(list);
        expect(outcome(again)).toEqual(outcome(list));
        for (const { response } of list) {
          const kept = all.get(response.responseId)?.response;
          expect(kept && tokensOf(kept)).toBeGreaterThanOrEqual(tokensOf(response));
          for (const { id } of response.toolCalls) expect(kept?.toolCalls.map((call) => call.id)).toContain(id);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
