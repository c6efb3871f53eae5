// report_usage: every report is booked, at an exact cost, with the verdict that follows from it.
import { describe, expect, test } from "vitest";
import { raw } from "../ledger/engines.ts";
import { OPERATOR, WIDE, type World, worldOf } from "../world.ts";
import { faultText, isClean, limitOf } from "./witness.ts";

async function opened(policy: unknown = { hardCaps: WIDE }, open: Record<string, unknown> = {}) {
  const world = await worldOf({ policy });
  const { session_id } = await world.open(open);
  return { world, session_id };
}

const chargesOf = (world: World) => world.ledger.read(() => raw("select * from charges order by seq"));

describe("a report of an agent that is metered", () => {
  const METERED = { kind: "agent", agentId: null, isMetered: true } as const;
  const report = async (args: Record<string, unknown>) => {
    const { world, session_id } = await opened({ hardCaps: WIDE, tools: { draw: { estimatedCostUsd: 0.04 } } });
    const answer = await world.call("report_usage", { session_id, model: "known-1", ...args }, METERED);
    return { answer, charges: await chargesOf(world) };
  };

  test("adds nothing of what its model used, and says that this is found without it", async () => {
    const { answer, charges } = await report({ input_tokens: 1_000_000, output_tokens: 5, cost_usd: 3 });
    expect(answer).toMatchObject({ metered: true, recorded: true, cost_usd: 0 });
    expect(charges).toMatchObject([
      { input_tokens: 0n, output_tokens: 0n, cost_nano_usd: 0n, reported_nano_usd: null },
    ]);
  });

  test("still costs what its tools cost", async () => {
    const listed = await report({ input_tokens: 100, output_tokens: 5, tool_calls: [{ tool: "draw", count: 2 }] });
    expect(listed.charges).toMatchObject([{ input_tokens: 0n, tool_calls: 2n, cost_nano_usd: 80_000_000n }]);
    const single = await report({ input_tokens: 0, output_tokens: 0, tool: "draw", cost_usd: 0.5 });
    expect(single.charges).toMatchObject([{ tool: "draw", cost_nano_usd: 500_000_000n }]);
  });
});

describe("a report's cost", () => {
  test("is what was reported; the price by model is kept beside it", async () => {
    const { world, session_id } = await opened();
    const answer = await world.report({ session_id, input_tokens: 1_000_000, cost_usd: 0.3, model: "known-1" });
    expect(answer).toMatchObject({ cost_usd: 0.3, cost_source: "reported" });
    expect(await chargesOf(world)).toMatchObject([
      { cost_nano_usd: 300_000_000n, reported_nano_usd: 300_000_000n, priced_nano_usd: 1_000_000_000n },
    ]);
  });

  test("is else priced: input, output, both kinds of cache, the hour's writes apart", async () => {
    const { world, session_id } = await opened({ hardCaps: WIDE }, { model: "known-1" });
    const answer = await world.report({
      session_id,
      input_tokens: 1_000,
      output_tokens: 100,
      cache_read_tokens: 10_000,
      cache_write_tokens: 500,
      cache_write_1h_tokens: 200,
    });
    // 1,000 at $1, 100 at $5, 10,000 at $0.10, 300 at $1.25 and 200 at $2 per million.
    expect(answer).toMatchObject({ cost_usd: 0.003275, cost_source: "exact" });
    expect(limitOf(answer, "session prompt_tokens").spent).toBe(11_500);
    expect(limitOf(answer, "session completion_tokens").spent).toBe(100);
    expect(limitOf(answer, "session total_tokens").spent).toBe(11_600);
  });

  test("in floats such as 0.1 + 0.2 is rounded once, and ten thousand of $0.0001 are a dollar", async () => {
    const { world, session_id } = await opened();
    expect((await world.report({ session_id, cost_usd: 0.1 + 0.2 })).cost_usd).toBe(0.3);
    for (let i = 0; i < 1000; i++) await world.report({ session_id, cost_usd: 0.0001 });
    expect(await world.report({ session_id, cost_usd: 0.6 })).toMatchObject({ session: { cost_usd: 1 } });
  });

  test("of an unknown model is the dearest known one's, or none, or denied, as the policy says; never silently zero", async () => {
    const report = { input_tokens: 1_000, output_tokens: 100, model: "mystery-9" };
    const dear = await opened();
    expect(await dear.world.report({ session_id: dear.session_id, ...report })).toMatchObject({
      cost_usd: 0.015,
      cost_source: "worst_known",
      verdict: { decision: "allow" },
    });
    const free = await opened({ hardCaps: WIDE, unknownModel: "unpriced" });
    expect(await free.world.report({ session_id: free.session_id, ...report })).toMatchObject({
      cost_usd: 0,
      cost_source: "unpriced",
      verdict: { decision: "allow" },
    });
    expect(await free.world.costs()).toMatchObject({ charges: 1, unpriced_charges: 1 });
    const denied = await opened({ hardCaps: WIDE, unknownModel: "deny" });
    expect(await denied.world.report({ session_id: denied.session_id, ...report })).toMatchObject({
      recorded: true,
      cost_usd: 0.015,
      cost_source: "worst_known",
      verdict: { decision: "deny", binding: { kind: "unknown_model" } },
    });
    const told = await denied.world.report({ session_id: denied.session_id, ...report, cost_usd: 0.01 });
    expect(told).toMatchObject({ cost_source: "reported", verdict: { decision: "allow" } });
  });

  test("of tool calls alone needs no price of a model: nothing is unpriced or denied", async () => {
    const tools = { tool_calls: [{ tool: "web", cost_usd: 0.02 }], model: "mystery-9" };
    for (const unknownModel of ["worst_known", "unpriced", "deny"]) {
      const { world, session_id } = await opened({ hardCaps: WIDE, unknownModel });
      expect(await world.report({ session_id, ...tools })).toMatchObject({
        cost_usd: 0.02,
        verdict: { decision: "allow" },
      });
      expect(await world.costs()).toMatchObject({ unpriced_charges: 0 });
    }
  });

  test("without any model is priced like an unknown one, and no tokens cost nothing", async () => {
    const { world, session_id } = await opened();
    expect(await world.report({ session_id, input_tokens: 1 })).toMatchObject({ cost_source: "worst_known" });
    expect(await world.report({ session_id, model: "mystery-9" })).toMatchObject({ cost_usd: 0 });
  });
});

describe("tool calls", () => {
  const policy = {
    hardCaps: WIDE,
    tools: { generate_image: { estimatedCostUsd: 0.04 }, search: { estimatedCostUsd: 0.01 } },
  };

  test("in a list cost what each says, else the policy's estimate, on top of the tokens", async () => {
    const { world, session_id } = await opened(policy);
    const answer = await world.report({
      session_id,
      cost_usd: 0.5,
      tool_calls: [
        { tool: "generate_image", count: 2 },
        { tool: "search", count: 3, cost_usd: 0.001 },
        { tool: "free" },
        { tool: "search" },
      ],
    });
    expect(answer).toMatchObject({ cost_usd: 0.591, session: { tool_calls: 7 } });
    expect(await world.costs()).toMatchObject({
      by_tool: { llm: 0.5, generate_image: 0.08, search: 0.011, free: 0 },
      total_cost_usd: 0.591,
      total_tool_calls: 7,
    });
  });

  test("as a number count, and with a tool they cost its estimate on top of the tokens", async () => {
    const { world, session_id } = await opened(policy);
    expect(await world.report({ session_id, tool_calls: 5 })).toMatchObject({
      cost_usd: 0,
      session: { tool_calls: 5 },
    });
    const priced = await world.report({
      session_id,
      tool: "search",
      tool_calls: 2,
      output_tokens: 1_000,
      model: "known-1",
    });
    expect(priced).toMatchObject({ cost_usd: 0.025, session: { tool_calls: 7 } });
    const one = await world.report({ session_id, tool: "generate_image" });
    expect(one).toMatchObject({ cost_usd: 0.04, session: { tool_calls: 8 } });
    expect(await world.costs()).toMatchObject({ by_tool: { search: 0.025, generate_image: 0.04, llm: 0 } });
  });

  test("with a tool and a reported cost cost exactly that", async () => {
    const { world, session_id } = await opened(policy);
    expect(await world.report({ session_id, tool: "generate_image", tool_calls: 3, cost_usd: 0.1 })).toMatchObject({
      cost_usd: 0.1,
      session: { tool_calls: 3 },
    });
  });

  test("of a tool called llm are told with the model's own, and the breakdown still sums to the total", async () => {
    const { world, session_id } = await opened(policy);
    await world.report({ session_id, cost_usd: 0.2 });
    await world.report({ session_id, tool: "llm", cost_usd: 0.3 });
    expect(await world.costs()).toMatchObject({ total_cost_usd: 0.5, by_tool: { llm: 0.5 } });
  });

  test("count against maxToolCalls, and the last one admitted is the last one", async () => {
    const { world, session_id } = await opened({ hardCaps: { maxToolCalls: 4 } });
    expect((await world.report({ session_id, tool_calls: 3 })).verdict.decision).toBe("allow");
    expect((await world.check({ session_id, estimate: { tool_calls: 1 } })).verdict.decision).toBe("warn");
    expect((await world.check({ session_id, estimate: { tool_calls: 2 } })).verdict.decision).toBe("deny");
    const last = await world.report({ session_id, tool_calls: 1 });
    expect(last.verdict.message).toContain("Over budget: 4 of 4 tool calls used (session).");
  });

  test("are forbidden by a limit of none, which exhausts nothing until one is made", async () => {
    const { world, session_id } = await opened({ hardCaps: { maxToolCalls: 0 } });
    expect(await world.report({ session_id, cost_usd: 0.1 })).toMatchObject({
      over_budget: false,
      verdict: { decision: "allow" },
    });
    expect((await world.check({ session_id, estimate: { tool_calls: 1 } })).verdict.decision).toBe("deny");
    expect(await world.report({ session_id, tool_calls: 1 })).toMatchObject({
      over_budget: true,
      verdict: { decision: "deny" },
    });
  });
});

describe("a report is always recorded", () => {
  test("over every limit, with the overspend in the answer", async () => {
    const { world, session_id } = await opened({});
    const answer = await world.report({
      session_id,
      cost_usd: 6,
      input_tokens: 700_000,
      output_tokens: 200_000,
      tool_calls: 150,
    });
    expect(answer).toMatchObject({ recorded: true, over_budget: true, verdict: { decision: "deny" } });
    expect(limitOf(answer, "session cost_usd")).toMatchObject({ limit: 5, spent: 6, remaining: 0, overspend: 1 });
    expect(limitOf(answer, "session tool_calls")).toMatchObject({ limit: 100, spent: 150, overspend: 50 });
    expect(await world.report({ session_id, cost_usd: 1 })).toMatchObject({ session: { cost_usd: 7, charges: 2 } });
  });

  test("after the session's time is over, and then it is denied by the clock", async () => {
    const { world, session_id } = await opened({ hardCaps: { maxDuration: 60_000 } });
    world.pass(59_999);
    expect((await world.report({ session_id, cost_usd: 0.1 })).verdict.decision).toBe("warn");
    world.pass(1);
    const answer = await world.report({ session_id, cost_usd: 0.1 });
    expect(answer).toMatchObject({ recorded: true, late: false, verdict: { binding: { measure: "duration_ms" } } });
    expect(answer.verdict.message).toContain("Over budget: 60 of 60 s used (session).");
  });

  test("on a session that has ended, flagged late, and its answer is to stop", async () => {
    const { world, session_id } = await opened();
    await world.report({ session_id, cost_usd: 0.1 });
    await world.end({ session_id });
    const late = await world.report({ session_id, cost_usd: 0.2, tool_calls: 1 });
    expect(late).toMatchObject({
      recorded: true,
      late: true,
      session: { cost_usd: 0.3 },
      verdict: {
        decision: "deny",
        message: "This session has ended. Stop, or open a new session.",
        binding: { kind: "session_ended" },
      },
    });
    expect(await world.end({ session_id })).toMatchObject({ already_ended: true, totals: { cost_usd: 0.3 } });
    expect(await world.costs()).toMatchObject({ total_cost_usd: 0.3 });
    expect(await isClean(world)).toBe(true);
  });

  test("with what failed and how long it took, which only operators see", async () => {
    const { world, session_id } = await opened();
    const answer = await world.report({ session_id, error: "overloaded_error\n\ttry again", latency_ms: 1234 });
    expect(JSON.stringify(answer)).not.toContain("overloaded");
    expect(await chargesOf(world)).toMatchObject([{ error: "overloaded_error\n\ttry again", latency_ms: 1234n }]);
    expect(await world.ledger.read(() => raw("select errors from sessions"))).toMatchObject([{ errors: 1n }]);
    await world.end({ session_id, status: "error", error: "gave up" });
    expect((await world.call("list_sessions", {}, OPERATOR)).sessions).toMatchObject([
      { status: "error", error: "gave up" },
    ]);
  });
});

describe("a report's own time", () => {
  test("decides the hour and the day it counts in", async () => {
    const world = await worldOf({
      policy: { hardCaps: WIDE, agents: [{ id: "ada", dailyCostLimitUsd: 5 }] },
      start: Date.parse("2026-11-22T23:30:00Z"),
    });
    const { session_id } = await world.open();
    world.at(Date.parse("2026-11-23T00:10:00Z"));
    const answer = await world.report({ session_id, cost_usd: 2, occurred_at: "2026-11-22T23:50:00Z" });
    expect(answer.verdict.decision).toBe("allow");
    expect(limitOf(answer, "agent cost_usd")).toMatchObject({ spent: 0, remaining: 5 });
    expect(limitOf(answer, "session cost_usd")).toMatchObject({ spent: 2 });
    const berlin = await world.report({ session_id, cost_usd: 1, occurred_at: "2026-11-23T01:05:00+01:00" });
    expect(limitOf(berlin, "agent cost_usd")).toMatchObject({ spent: 1, remaining: 4 });
    const earlier = await world.report({ session_id, cost_usd: 0.5, occurred_at: "2026-11-22T23:59:59Z" });
    expect(limitOf(earlier, "agent cost_usd")).toMatchObject({ spent: 1, remaining: 4 });
    expect((await world.costs({ group_by: ["day"] })).by_day).toEqual([
      { day: "2026-11-22", cost_usd: 2.5 },
      { day: "2026-11-23", cost_usd: 1 },
    ]);
    expect(await isClean(world)).toBe(true);
  });

  test("may be a minute ahead, as clocks are, and then counts as now", async () => {
    const { world, session_id } = await opened();
    await world.report({ session_id, cost_usd: 1, occurred_at: "2026-11-22T12:01:00Z" });
    expect(await chargesOf(world)).toMatchObject([{ occurred_at: BigInt(Date.parse("2026-11-22T12:00:00Z")) }]);
  });

  test("is refused in the future, before the session, or more than an hour ago; nothing is recorded then", async () => {
    const { world, session_id } = await opened();
    world.pass(2 * 3_600_000);
    const at = (occurred_at: string) => faultText(world.report({ session_id, cost_usd: 1, occurred_at }));
    expect(await at("2026-11-22T14:01:00.001Z")).toBe(
      "invalid_input: occurred_at expected a time that is not in the future",
    );
    expect(await at("2099-01-01T00:00:00Z")).toContain("occurred_at expected a time that is not in the future");
    const past =
      "invalid_input: occurred_at expected a time within the session and the last hour; leave it out to count the report now";
    expect(await at("2026-11-22T12:59:59Z")).toBe(past);
    expect(await at("1970-01-01T00:00:00Z")).toBe(past);
    const fresh = (await world.open()).session_id;
    expect(await faultText(world.report({ session_id: fresh, occurred_at: "2026-11-22T13:58:59Z" }))).toBe(past);
    expect(await chargesOf(world)).toEqual([]);
  });
});
