// check_budget: what is left, and whether an estimate fits, to the nano-dollar.
import { describe, expect, test } from "vitest";
import { WIDE, worldOf } from "../world.ts";
import { faultText, limitOf, rowsOf } from "./witness.ts";

describe("without a session", () => {
  test("the guide's six fields are null where nothing is limited, and the agent's own day is what was spent", async () => {
    const world = await worldOf({ policy: {} });
    const { session_id } = await world.open({ task_id: 1 });
    await world.report({ session_id, cost_usd: 0.7 });
    expect(await world.check({ agent_id: "ada" })).toMatchObject({
      daily_limit_usd: null,
      daily_spent_usd: 0.7,
      daily_remaining_usd: null,
      task_limit_usd: null,
      task_spent_usd: null,
      task_remaining_usd: null,
      over_budget: false,
      verdict: { decision: "allow", message: "No limit bears on this.", binding: null, limits: [] },
    });
    expect(await world.check({ agent_id: "ada", task_id: 1 })).toMatchObject({
      task_limit_usd: null,
      task_spent_usd: 0.7,
    });
  });

  test("the daily limit shown is the one with the least left", async () => {
    const policy = {
      hardCaps: WIDE,
      workspace: { dailyCostLimitUsd: 20 },
      teams: [{ id: "t", dailyCostLimitUsd: 10 }],
      agents: [{ id: "ada", team: "t", dailyCostLimitUsd: 5 }, { id: "bob", team: "t" }, { id: "eve" }],
    };
    const world = await worldOf({ policy });
    const shown = async () => {
      const { daily_limit_usd, daily_spent_usd, daily_remaining_usd } = await world.check({ agent_id: "ada" });
      return [daily_limit_usd, daily_spent_usd, daily_remaining_usd];
    };
    expect(await shown()).toEqual([5, 0, 5]);
    await world.report({ session_id: (await world.open({ agent_id: "bob" })).session_id, cost_usd: 6 });
    expect(await shown()).toEqual([10, 6, 4]);
    await world.report({ session_id: (await world.open({ agent_id: "eve" })).session_id, cost_usd: 11 });
    expect(await shown()).toEqual([20, 17, 3]);
  });

  test("remaining is never below zero, and what is over is told apart", async () => {
    const policy = { hardCaps: WIDE, agents: [{ id: "ada", dailyCostLimitUsd: 1 }] };
    const world = await worldOf({ policy });
    await world.report({ session_id: (await world.open()).session_id, cost_usd: 1.25 });
    const answer = await world.check({ agent_id: "ada" });
    expect(answer).toMatchObject({ daily_spent_usd: 1.25, daily_remaining_usd: 0, over_budget: true });
    expect(limitOf(answer, "agent cost_usd")).toMatchObject({ remaining: 0, overspend: 0.25 });
  });

  test("somebody must be named, and a hold needs a session and an estimate", async () => {
    const world = await worldOf();
    expect(await faultText(world.check({}))).toBe("invalid_input: session_id expected a session_id, or an agent_id");
    expect(await faultText(world.check({ agent_id: "ada", hold: true, estimate: { cost_usd: 1 } }))).toBe(
      "invalid_input: session_id expected with hold: true, because a hold belongs to a session",
    );
    const { session_id } = await world.open();
    expect(await faultText(world.check({ session_id, hold: true }))).toBe(
      "invalid_input: estimate expected with hold: true: what shall be set aside",
    );
  });
});

describe("with a session", () => {
  test("its agent and task need not be named, and no others may be", async () => {
    const world = await worldOf();
    const { session_id } = await world.open({ task_id: "594" });
    expect((await world.check({ session_id, agent_id: "ada", task_id: 594 })).verdict.decision).toBe("allow");
    expect(await faultText(world.check({ session_id, agent_id: "bob" }))).toBe(
      "invalid_input: agent_id expected the session's own agent, or nothing",
    );
    expect(await faultText(world.check({ session_id, task_id: "595" }))).toBe(
      "invalid_input: task_id expected the session's own task, or nothing",
    );
    expect(await faultText(world.check({ session_id: "ses_nobody" }))).toBe("session_not_found:");
  });

  test("an estimate of exactly what remains is admitted, a nano-dollar or a token more is denied", async () => {
    const world = await worldOf({ policy: { hardCaps: { maxCostCents: 50, maxTotalTokens: 1_000 } } });
    const { session_id } = await world.open();
    await world.report({ session_id, cost_usd: 0.123456789, input_tokens: 300, output_tokens: 200 });
    const decision = async (estimate: Record<string, unknown>) =>
      (await world.check({ session_id, estimate })).verdict.decision;
    expect(await decision({ cost_usd: 0.376543211 })).toBe("warn");
    expect(await decision({ cost_usd: 0.376543212 })).toBe("deny");
    expect(await decision({ cost_usd: 0, input_tokens: 200, output_tokens: 300 })).toBe("warn");
    expect(await decision({ cost_usd: 0, input_tokens: 201, output_tokens: 300 })).toBe("deny");
  });

  test("warns from exactly 80 % of a limit on, or from where the policy says", async () => {
    const world = await worldOf({ policy: { hardCaps: { maxCostCents: 50 } } });
    const { session_id } = await world.open();
    const at = async (cost_usd: number) => (await world.check({ session_id, estimate: { cost_usd } })).verdict.decision;
    expect([await at(0.399999999), await at(0.4)]).toEqual(["allow", "warn"]);
    expect((await world.report({ session_id, cost_usd: 0.399999999 })).verdict.decision).toBe("allow");
    expect((await world.report({ session_id, cost_usd: 1e-9 })).verdict).toMatchObject({
      decision: "warn",
      message:
        "Nearly over budget: $0.10 of $0.50 left (session). It does not reset. Finish with less and start nothing new.",
    });
    world.setPolicy({ hardCaps: { maxCostCents: 50 }, warnAt: 0.81 });
    expect((await world.check({ session_id })).verdict.decision).toBe("allow");
  });

  test("an estimate in tokens is priced by its model, else the session's, an unknown one as the dearest", async () => {
    const world = await worldOf({ policy: { hardCaps: { ...WIDE, maxCostCents: 100 } } });
    const { session_id } = await world.open({ model: "known-1" });
    const estimate = { input_tokens: 500_000, output_tokens: 100_000 };
    expect((await world.check({ session_id, estimate })).verdict.decision).toBe("warn");
    const dear = await world.check({ session_id, estimate: { ...estimate, model: "mystery" } });
    expect(dear.verdict.message).toContain("Denied: $10.00 asked, $1.00 of $1.00 left (session).");
    const told = await world.check({ session_id, estimate: { ...estimate, model: "mystery", cost_usd: 0.01 } });
    expect(told.verdict.decision).toBe("allow");
  });

  test("a model without a price is denied where the policy says so, with or without an estimate", async () => {
    const world = await worldOf({ policy: { unknownModel: "deny" } });
    const { session_id } = await world.open();
    const of = async (estimate: Record<string, unknown>) => (await world.check({ session_id, estimate })).verdict;
    expect(await of({ model: "mystery" })).toMatchObject({ decision: "deny", binding: { kind: "unknown_model" } });
    expect(await of({ model: "mystery", input_tokens: 5 })).toMatchObject({ decision: "deny" });
    expect(await of({ model: "known-1", input_tokens: 5 })).toMatchObject({ decision: "allow" });
  });

  test("looking changes nothing, however often", async () => {
    const world = await worldOf();
    const { session_id } = await world.open({ task_id: 1 });
    await world.report({ session_id, cost_usd: 0.1 });
    const before = await rowsOf(world.ledger);
    for (let i = 0; i < 5; i++) await world.check({ session_id, estimate: { cost_usd: 1 } });
    await world.check({ agent_id: "nobody-yet", task_id: "new" });
    expect(await rowsOf(world.ledger)).toEqual(before);
  });

  test("one that has ended is denied", async () => {
    const world = await worldOf();
    const { session_id } = await world.open();
    await world.end({ session_id });
    expect((await world.check({ session_id })).verdict).toMatchObject({
      decision: "deny",
      binding: { kind: "session_ended" },
    });
  });
});
