// Reports that name the model's response: a meter that finds it too replaces them, and nothing counts twice.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { START, WIDE, type World, worldOf } from "../world.ts";
import { aResponse, callsOf, charges, meter, metered } from "./metering.ts";
import { isClean } from "./witness.ts";

const TIMES = Number(process.env.ASTRA_PROPERTY_TIMES ?? 1);
const POLICY = { hardCaps: WIDE, agents: [{ id: "ada" }], tools: { draw: { estimatedCostUsd: 0.25 } } };
const costOf = async (world: World) => (await world.costs()).total_cost_usd;

async function opened(policy: unknown = POLICY) {
  const world = await worldOf({ policy });
  const { session_id } = await world.open({ model: "known-1" });
  return { world, session_id };
}

describe("a report of a response", () => {
  test("that is metered adds nothing, and is answered that charge and its cost", async () => {
    const { world, session_id } = await opened();
    const { session } = await metered(world, "transcript", aResponse("msg_1"));
    const before = await charges(world);
    const answer = await world.report({ session_id, input_tokens: 9_000_000, response_id: "msg_1" });
    expect(answer).toMatchObject({
      duplicate: true,
      recorded: true,
      charge_id: `chg_${session.id.slice(4, 20)}-1`,
      cost_usd: 0.002,
      cost_source: "exact",
      session: { cost_usd: 0 },
    });
    expect(await charges(world)).toEqual(before);
  });

  test("counts until a meter finds the response, which then counts instead: more, less or the same", async () => {
    for (const inputTokens of [5_000, 10, 1_000]) {
      const { world, session_id } = await opened();
      const report = { session_id, input_tokens: 1_000, output_tokens: 200, response_id: "msg_1" };
      expect(await world.report(report)).toMatchObject({ duplicate: false, cost_usd: 0.002 });
      for (let i = 0; i < 2; i++) await metered(world, "telemetry", aResponse("msg_1", { inputTokens }));
      expect(await world.costs()).toMatchObject({
        total_cost_usd: (inputTokens + 1_000) / 1e6,
        total_input_tokens: Math.max(inputTokens, 1_000),
        total_output_tokens: 200,
      });
      expect((await charges(world)).map(({ source }) => source)).toEqual(["self_reported", "correction", "telemetry"]);
      expect(await world.report(report)).toMatchObject({ duplicate: true, cost_usd: (inputTokens + 1_000) / 1e6 });
      expect(await isClean(world)).toBe(true);
    }
  });

  test("keeps what other tools cost when a meter replaces it, and counts no search twice", async () => {
    const { world, session_id } = await opened();
    const tool_calls = [
      { tool: "draw", count: 2 },
      { tool: "web_search", cost_usd: 0.01 },
    ];
    await world.report({ session_id, cost_usd: 3, tool_calls, response_id: "msg_1" });
    const toolCalls = callsOf("draw", "draw");
    await metered(world, "transcript", aResponse("msg_1", { webSearches: 1, toolCalls }));
    expect(await world.costs()).toMatchObject({
      total_cost_usd: 0.512,
      total_tool_calls: 3,
      by_tool: { draw: 0.5, web_search: 0.01, llm: 0.002 },
    });
    expect(await isClean(world)).toBe(true);
  });

  test("counts once when it is reported twice, whatever the second says and from whichever session", async () => {
    const { world, session_id } = await opened();
    const first = await world.report({ session_id, input_tokens: 1_000, response_id: "msg_1" });
    const other = await world.open({ agent_id: "bob" });
    for (const again of [session_id, other.session_id])
      expect(await world.report({ session_id: again, input_tokens: 7, response_id: "msg_1" })).toMatchObject({
        duplicate: true,
        charge_id: first.charge_id,
        cost_usd: 0.001,
      });
    expect(await charges(world)).toHaveLength(1);
  });

  test("of another agent counts by itself, tells nothing of it, and leaves its account as it is", async () => {
    const { world } = await opened();
    const { session } = await metered(world, "transcript", aResponse("msg_1"));
    const eve = { kind: "agent", agentId: "eve" } as const;
    const { session_id } = await world.open({ agent_id: "eve", model: "known-1" }, eve);
    const report = { session_id, input_tokens: 1, response_id: "msg_1" };
    const answer = await world.report(report, eve);
    expect(answer).toMatchObject({ duplicate: false, cost_usd: 0.000001 });
    expect(answer.charge_id).not.toContain(session.id.slice(4, 20));
    expect(await metered(world, "transcript", aResponse("msg_1"))).toMatchObject({ verdict: { decision: "allow" } });
    expect(await costOf(world)).toBe(0.002001);
    expect(await isClean(world)).toBe(true);
  });

  test("frees its hold also where it adds nothing, and takes a forgotten hold's estimate back", async () => {
    const { world, session_id } = await opened({ ...POLICY, onHoldExpiry: "charge" });
    await metered(world, "gateway", aResponse("msg_1"));
    const held = () => world.check({ session_id, estimate: { cost_usd: 1 }, hold: true, hold_ttl_ms: 60_000 });
    const { hold_id } = await held();
    expect(await world.report({ session_id, response_id: "msg_1", hold_id })).toMatchObject({
      duplicate: true,
      hold: "released",
    });
    const forgotten = await held();
    world.pass(120_000);
    await world.check({ session_id });
    expect(await costOf(world)).toBe(1.002);
    expect(await world.report({ session_id, response_id: "msg_1", hold_id: forgotten.hold_id })).toMatchObject({
      duplicate: true,
      hold: "was_closed",
      session: { cost_usd: 0 },
    });
    expect(await costOf(world)).toBe(0.002);
    expect(await isClean(world)).toBe(true);
  });

  test("is known by its key as ever", async () => {
    const { world, session_id } = await opened();
    const report = { session_id, input_tokens: 1_000, response_id: "msg_1", idempotency_key: "k" };
    const { charge_id } = await world.report(report);
    await metered(world, "gateway", aResponse("msg_1"));
    expect(await world.report(report)).toMatchObject({ duplicate: true, charge_id });
    expect(await costOf(world)).toBe(0.002);
  });
});

test("totals are the best source's account of each response, in whatever order reports and meters come", async () => {
  const told = fc.record({
    by: fc.constantFrom("report" as const, "telemetry" as const, "transcript" as const, "gateway" as const),
    id: fc.nat({ max: 3 }),
    shift: fc.constantFrom(1, 2, 3),
  });
  const ranks = ["report", "telemetry", "transcript", "gateway"];
  await fc.assert(
    fc.asyncProperty(fc.array(told, { maxLength: 20 }), async (all) => {
      const { world, session_id } = await opened();
      const best = new Map<number, { rank: number; tokens: number }>();
      for (const { by, id, shift } of all) {
        const rank = ranks.indexOf(by);
        const tokens = 100 + id * 10 + shift;
        if (by === "report") await world.report({ session_id, input_tokens: tokens, response_id: `msg_${id}` });
        else {
          const response = aResponse(`msg_${id}`, { inputTokens: tokens, outputTokens: 0, occurredAt: START });
          await meter(world, [response], { meter: by });
        }
        const known = best.get(id);
        const isLater = rank > 0 && known?.rank === rank && tokens > known.tokens;
        if (!known || rank > known.rank || isLater) best.set(id, { rank, tokens });
      }
      const cost = [...best.values()].reduce((sum, { tokens }) => sum + tokens, 0);
      expect(await costOf(world)).toBe(cost / 1e6);
      expect(await isClean(world)).toBe(true);
      await world.ledger.close();
    }),
    { numRuns: 60 * TIMES },
  );
});
