// Limits over calendar windows: they fill by the clock of the workspace's zone and empty at its midnight.
import { describe, expect, test } from "vitest";
import { WIDE, type World, worldOf } from "../world.ts";
import { isClean, limitOf } from "./witness.ts";

const MINUTE = 60_000;
const at = (text: string): number => Date.parse(text);
const spend = async (world: World, cost_usd: number, agent_id = "ada") => {
  const { session_id } = await world.open({ agent_id });
  return await world.report({ session_id, cost_usd });
};

describe("an agent's day", () => {
  const policy = {
    workspace: { timezone: "America/New_York" },
    hardCaps: WIDE,
    agents: [{ id: "ada", dailyCostLimitUsd: 1 }],
  };

  test("ends at the zone's midnight, not at UTC's, and then opens again", async () => {
    const world = await worldOf({ policy, start: at("2026-11-22T23:59:00-05:00") });
    expect((await spend(world, 1)).verdict).toMatchObject({
      decision: "deny",
      binding: { scope: "agent", window: "day" },
    });
    const refused = await world.open();
    expect(limitOf(refused, "agent cost_usd")).toMatchObject({ spent: 1, resets_at: "2026-11-23T05:00:00.000Z" });
    expect(refused.verdict.message).toContain("It resets at 2026-11-23T05:00:00Z.");
    world.at(at("2026-11-22T23:59:59.999-05:00"));
    expect((await world.open()).status).toBe("refused");
    world.pass(1);
    expect((await world.open()).status).toBe("open");
    expect(limitOf(await world.check({ agent_id: "ada" }), "agent cost_usd")).toMatchObject({ spent: 0, remaining: 1 });
  });

  test("has 25 hours when clocks go back, and the spend of all of them counts together", async () => {
    const world = await worldOf({ policy, start: at("2026-11-01T00:00:00-04:00") });
    await spend(world, 0.4);
    world.pass(24 * 60 * MINUTE + 59 * MINUTE);
    expect(limitOf(await spend(world, 0.4), "agent cost_usd")).toMatchObject({
      spent: 0.8,
      resets_at: "2026-11-02T05:00:00.000Z",
    });
    world.pass(MINUTE);
    expect(limitOf(await spend(world, 0.1), "agent cost_usd")).toMatchObject({ spent: 0.1 });
  });

  test("a session that spans midnight counts each charge on its own day", async () => {
    const world = await worldOf({ policy, start: at("2026-11-22T23:50:00-05:00") });
    const { session_id } = await world.open();
    await world.report({ session_id, cost_usd: 0.6 });
    world.pass(20 * MINUTE);
    const answer = await world.report({ session_id, cost_usd: 0.7 });
    expect(answer.verdict.decision).toBe("allow");
    expect(limitOf(answer, "agent cost_usd")).toMatchObject({ spent: 0.7 });
    expect(limitOf(answer, "session cost_usd")).toMatchObject({ spent: 1.3 });
    expect((await world.costs({ group_by: ["day"] })).by_day).toEqual([
      { day: "2026-11-22", cost_usd: 0.6 },
      { day: "2026-11-23", cost_usd: 0.7 },
    ]);
    expect(await isClean(world)).toBe(true);
  });

  test("a clock that is set back opens no day again that was used up", async () => {
    const world = await worldOf({ policy, start: at("2026-11-22T10:00:00-05:00") });
    await spend(world, 1);
    world.at(at("2026-11-23T10:00:00-05:00"));
    await spend(world, 1);
    world.at(at("2026-11-22T12:00:00-05:00"));
    expect((await world.open()).status).toBe("refused");
  });
});

describe("quotas of an agent", () => {
  test("tokens of an hour, over all its sessions, all kinds of tokens", async () => {
    const policy = { hardCaps: WIDE, agents: [{ id: "ada", quotas: { tokensPerHour: 1_000 } }] };
    const world = await worldOf({ policy, start: at("2026-11-22T12:59:00Z") });
    const one = await world.open();
    await world.report({ session_id: one.session_id, input_tokens: 400, cache_read_tokens: 100 });
    const other = await world.open();
    const ask = await world.check({
      session_id: other.session_id,
      estimate: { input_tokens: 400, output_tokens: 101, cost_usd: 0 },
    });
    expect(ask.verdict).toMatchObject({
      decision: "deny",
      binding: { scope: "agent", window: "hour", measure: "total_tokens" },
    });
    await world.report({ session_id: other.session_id, cache_write_tokens: 200, output_tokens: 300 });
    expect((await world.open()).status).toBe("refused");
    expect((await world.open({ agent_id: "bob" })).status).toBe("open");
    world.pass(MINUTE);
    expect((await world.open()).status).toBe("open");
  });

  test("tokens of a day outlast the hour", async () => {
    const policy = { hardCaps: WIDE, agents: [{ id: "ada", quotas: { tokensPerHour: 1_000, tokensPerDay: 1_500 } }] };
    const world = await worldOf({ policy });
    const { session_id } = await world.open();
    await world.report({ session_id, input_tokens: 1_000 });
    world.pass(60 * MINUTE);
    expect((await world.check({ session_id })).verdict.decision).toBe("allow");
    const answer = await world.report({ session_id, input_tokens: 500 });
    expect(answer.verdict).toMatchObject({ decision: "deny", binding: { window: "day", measure: "total_tokens" } });
    world.at(at("2026-11-23T00:00:00Z"));
    expect((await world.check({ session_id })).verdict.decision).toBe("allow");
  });

  test("cost of a day: the smaller of the quota and the daily limit holds", async () => {
    const agent = { id: "ada", dailyCostLimitUsd: 3, quotas: { costPerDayUsd: 2 } };
    const world = await worldOf({ policy: { hardCaps: WIDE, agents: [agent] } });
    expect((await spend(world, 2)).verdict).toMatchObject({ decision: "deny", binding: { scope: "agent" } });
  });

  test("children open at one time, over all its sessions; one that ended or timed out makes room", async () => {
    const agent = { id: "ada", quotas: { maxConcurrentChildren: 2 } };
    const child = { id: "kid", budget: { maxDuration: 60_000 } };
    const world = await worldOf({ policy: { hardCaps: WIDE, agents: [agent, child] } });
    const [one, other] = [await world.open(), await world.open()];
    const spawn = (parent: { session_id: string }) =>
      world.open({ agent_id: "kid", parent_session_id: parent.session_id });
    const first = await spawn(one);
    expect((await spawn(other)).verdict.decision).toBe("warn");
    const refused = await spawn(other);
    expect(refused.verdict).toMatchObject({
      decision: "deny",
      binding: { scope: "agent", measure: "concurrent_children" },
    });
    await world.end({ session_id: first.session_id });
    expect((await spawn(one)).status).toBe("open");
    expect((await spawn(one)).status).toBe("refused");
    world.pass(60_000);
    expect((await spawn(other)).status).toBe("open");
  });
});

describe("the workspace", () => {
  test("its day is everybody's, its month outlasts the day and ends with the calendar's", async () => {
    const policy = { hardCaps: WIDE, workspace: { dailyCostLimitUsd: 2, monthlyCostLimitUsd: 3 } };
    const world = await worldOf({ policy, start: at("2026-11-29T12:00:00Z") });
    await spend(world, 1, "ada");
    expect((await spend(world, 1, "bob")).verdict).toMatchObject({
      decision: "deny",
      binding: { scope: "workspace", window: "day" },
    });
    world.at(at("2026-11-30T00:00:00Z"));
    const third = await spend(world, 1, "eve");
    expect(third.verdict).toMatchObject({ decision: "deny", binding: { scope: "workspace", window: "month" } });
    expect(third.verdict.message).toContain("It resets at 2026-12-01T00:00:00Z.");
    world.at(at("2026-11-30T23:59:59.999Z"));
    expect((await world.open()).status).toBe("refused");
    world.pass(1);
    expect((await world.open()).status).toBe("open");
  });

  test("a limit that is set at noon finds what the morning spent", async () => {
    const world = await worldOf({ policy: { hardCaps: WIDE } });
    await spend(world, 4);
    world.setPolicy({
      hardCaps: WIDE,
      workspace: { dailyCostLimitUsd: 4 },
      agents: [{ id: "ada", dailyCostLimitUsd: 5 }],
    });
    expect((await world.check({ agent_id: "ada" })).verdict.decision).toBe("deny");
  });

  test("a team's day is its agents' together, and a spawned stranger counts for its parent's team", async () => {
    const policy = {
      hardCaps: WIDE,
      teams: [{ id: "night", dailyCostLimitUsd: 1 }],
      agents: [{ id: "ada", team: "night" }],
    };
    const world = await worldOf({ policy });
    const { session_id } = await world.open();
    const child = await world.open({ agent_id: "stranger", parent_session_id: session_id });
    expect(child.team_id).toBe("night");
    await world.report({ session_id: child.session_id, cost_usd: 1 });
    expect((await world.open()).verdict.binding).toMatchObject({ scope: "team", scope_id: "night" });
    world.at(at("2026-11-23T00:00:00Z"));
    expect((await world.open()).status).toBe("open");
  });
});
