// Importing the past: each response once at its own time, whatever was metered before and however often it is tried.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MeteredResponse } from "../../src/core/metered.ts";
import { bookedBytesOfAll, bookPast, type PastConversation } from "../../src/operations/meter-past.ts";
import type { MeteredThread } from "../../src/operations/meter-session.ts";
import { meterUsage } from "../../src/operations/meter-usage.ts";
import { previewPast } from "../../src/operations/past-preview.ts";
import { START, WIDE, type World, worldOf } from "../world.ts";

const IMPORTING = { client: "claude-code", meter: "transcript", agentId: "claude-code" } as const;
const HOUR_MS = 3_600_000;

/** One dollar per million input tokens, five of output: 1 and 2 thousand come to $0.011. */
const response = (responseId: string, change: Partial<MeteredResponse> = {}): MeteredResponse => ({
  responseId,
  model: "known",
  provider: null,
  occurredAt: START - 50 * HOUR_MS,
  inputTokens: 1_000,
  outputTokens: 2_000,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  cacheWrite1hTokens: 0,
  webSearches: 0,
  speed: "standard",
  region: null,
  toolCalls: [],
  ...change,
});
const NANO_EACH = 11_000_000n;

const thread = (threadId: string, responses: readonly MeteredResponse[], parentId: string | null = null) => ({
  threadId,
  parentId,
  responses,
});
const conversation = (...threads: MeteredThread[]): PastConversation => ({ threads, files: [] });

async function* listed(conversations: readonly PastConversation[]): AsyncGenerator<PastConversation> {
  yield* conversations;
}

async function imported(world: World, conversations: readonly PastConversation[], book: typeof bookPast = bookPast) {
  const total = { responses: 0, booked: 0, cost: 0n, parts: 0 };
  for await (const part of book(world.context, IMPORTING, listed(conversations))) {
    total.responses += part.responses;
    total.booked += part.booked;
    total.cost += part.cost;
    total.parts += 1;
  }
  return total;
}

const spent = async (world: World, args: object = {}) =>
  ((await world.costs({ months: 120, ...args })) as unknown as { total_cost_usd: number }).total_cost_usd;

const mySessions = async (world: World) =>
  (await world.call("list_sessions", {}, { kind: "agent", agentId: "claude-code" })) as unknown as {
    sessions: Record<string, unknown>[];
  };

async function mustBeClean(world: World): Promise<void> {
  expect(await world.call("verify_ledger")).toMatchObject({ ok: true });
}

describe("bookPast", () => {
  test("books each response once into ended sessions, at its own day, children under their parents", async () => {
    const world = await worldOf();
    const day = 24 * HOUR_MS;
    const past = [
      conversation(
        thread("c1", [response("m1"), response("m2", { occurredAt: START - 2 * day })]),
        thread("c1/a", [response("a1", { toolCalls: [{ id: "t1", tool: "Bash" }] })], "c1"),
      ),
      conversation(thread("c2", [response("m2"), response("m3")])),
    ];
    expect(await imported(world, past)).toMatchObject({ responses: 5, booked: 4, cost: 4n * NANO_EACH });
    expect(await imported(world, past)).toMatchObject({ responses: 5, booked: 0, cost: 0n });
    expect(await spent(world)).toBe(0.044);
    expect(await spent(world, { start_date: "2026-11-20", end_date: "2026-11-20", agent_id: "claude-code" })).toBe(
      0.044,
    );
    const { sessions } = await mySessions(world);
    expect(sessions.map((each) => [each.status, each.parent_session_id === null]).sort()).toEqual([
      ["success", false],
      ["success", true],
      ["success", true],
    ]);
    await mustBeClean(world);
  });

  test("counts what grew since only by how much it grew, and what is told for tomorrow as now", async () => {
    const world = await worldOf();
    await imported(world, [conversation(thread("c", [response("m1", { outputTokens: 1_000 })]))]);
    const grown = [conversation(thread("c", [response("m1"), response("m2", { occurredAt: START + HOUR_MS })]))];
    expect(await imported(world, grown)).toMatchObject({ booked: 2, cost: 5_000_000n + NANO_EACH });
    expect(await spent(world, { start_date: "2026-11-22", end_date: "2026-11-22" })).toBe(0.011);
    expect(await world.costs()).toMatchObject({ late_charges: 0 });
    await mustBeClean(world);
  });

  test("leaves the live sessions what they have: only what nothing metered becomes past", async () => {
    const world = await worldOf({ policy: { hardCaps: { ...WIDE, maxCostCents: 2 } } });
    const live = thread("c", [response("m2", { occurredAt: START })]);
    const asks = {
      asking: "c",
      renewal: "renew",
      underWay: [],
      telling: "later",
      starting: 0,
      model: null,
    } as const;
    const { session } = await meterUsage(world.context, { ...IMPORTING, ...asks, threads: [live], files: [] });
    const whole = [response("m1"), response("m2", { occurredAt: START }), response("m3", { occurredAt: START + 1 })];
    world.pass(60_000);
    expect(await imported(world, [conversation(thread("c", whole))])).toMatchObject({ booked: 2 });
    // What the open session used meanwhile is held against it, whoever books it.
    const { verdict } = await world.check({ session_id: session.id }, { kind: "operator", actor: "test" });
    expect(verdict.decision).toBe("deny");
    expect(await spent(world, { session_id: session.id })).toBe(0.022);
    expect(await spent(world)).toBe(0.033);
    await mustBeClean(world);
  });

  test("is broken off without harm: a file counts as booked with the last part of its conversation", async () => {
    const world = await worldOf();
    const many = Array.from({ length: 2_300 }, (_, i) => response(`m${i}`, { occurredAt: START - HOUR_MS + i }));
    const past = [{ ...conversation(thread("c", many)), files: [{ path: "/f", bytes: 77 }] }];
    const parts = bookPast(world.context, IMPORTING, listed(past));
    expect((await parts.next()).value).toMatchObject({ responses: 1_000, booked: 1_000 });
    await parts.return(undefined);
    expect((await bookedBytesOfAll(world.context, ["/f"])).get("/f")).toBe(0);
    expect(await imported(world, past)).toEqual({
      responses: 2_300,
      booked: 1_300,
      cost: 1_300n * NANO_EACH,
      parts: 3,
    });
    expect((await bookedBytesOfAll(world.context, ["/f"])).get("/f")).toBe(77);
    const { sessions } = await mySessions(world);
    expect(sessions).toHaveLength(1);
    expect(await world.costs({ months: 120 })).toMatchObject({ late_charges: 0, charges: 2_300 });
    await mustBeClean(world);
  });

  test("books the same however the responses are split over conversations and runs, as a preview says", async () => {
    const one = fc.record({
      id: fc.integer({ min: 0, max: 12 }),
      output: fc.integer({ min: 0, max: 3 }),
      calls: fc.integer({ min: 0, max: 3 }),
      hours: fc.integer({ min: 0, max: 60 }),
    });
    const runs = fc.array(fc.array(fc.array(one, { maxLength: 12 }), { maxLength: 4 }), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(runs, async (given) => {
        const world = await worldOf();
        const largest = new Map<string, number>();
        for (const run of given) {
          const past = run.map((some, i) =>
            // Within a conversation the reader gives each response once.
            conversation(
              thread(
                `c${i}`,
                [...new Map(some.map((each) => [each.id, each])).values()].map(({ id, output, calls, hours }) =>
                  response(`m${id}`, {
                    occurredAt: START - hours * HOUR_MS,
                    outputTokens: output,
                    toolCalls: Array.from({ length: calls }, (_, call) => ({
                      id: `t${id}-${call}`,
                      tool: `tool${call}`,
                    })),
                  }),
                ),
              ),
            ),
          );
          for (const { threads } of past)
            for (const { responseId, outputTokens } of threads.flatMap(({ responses }) => responses))
              largest.set(responseId, Math.max(largest.get(responseId) ?? 0, outputTokens));
          await imported(world, past);
          const again = await imported(world, past, previewPast);
          expect([again.booked, again.cost]).toEqual([0, 0n]);
        }
        const expected = [...largest.values()].reduce((sum, output) => sum + 1_000 * 1_000 + output * 5_000, 0);
        expect(Math.round((await spent(world)) * 1e9)).toBe(expected);
        await mustBeClean(world);
      }),
      { numRuns: 30 },
    );
  });
});

describe("previewPast", () => {
  test("says what would be booked, each response once, and writes nothing", async () => {
    const world = await worldOf();
    await imported(world, [conversation(thread("c", [response("m1")]))]);
    const before = await world.ledger.changes();
    const past = [
      conversation(thread("c", [response("m1"), response("m2")])),
      conversation(thread("d", [response("m2")])),
    ];
    expect(await imported(world, past, previewPast)).toMatchObject({ responses: 3, booked: 1, cost: NANO_EACH });
    expect(await world.ledger.changes()).toBe(before);
    expect(await imported(world, past)).toMatchObject({ booked: 1, cost: NANO_EACH });
  });
});
