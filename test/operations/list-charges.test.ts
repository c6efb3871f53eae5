// list_charges and export_charges: whose they are to see, what they hide from whom, and pages that go on where they ended.
import { describe, expect, test } from "vitest";
import { type Answer, OPERATOR, START, type World, worldOf } from "../world.ts";
import { faultText } from "./witness.ts";

const VIEWER = { kind: "viewer", actor: "key_viewer" } as const;

async function usedWorld(): Promise<{ world: World; session_id: string; hold_id: string | null }> {
  const world = await worldOf();
  const { session_id } = await world.open({ task_id: 594, user_id: "u", model: "known-1", provider: "p" });
  const { hold_id } = await world.check({ session_id, estimate: { cost_usd: 1 }, hold: true });
  const tool_calls = [{ tool: "web", count: 2, cost_usd: 0.25 }];
  await world.report({ session_id, input_tokens: 7, cost_usd: 0.5, tool_calls, error: "password hunter2", hold_id });
  await world.report({ session_id, output_tokens: 3, latency_ms: 12 });
  return { world, session_id, hold_id };
}

const charges = (answer: Answer) => answer.charges as Record<string, unknown>[];

describe("list_charges", () => {
  test("tells a viewer what was charged, and that something failed, but no text of an agent's and no hold", async () => {
    const { world, session_id } = await usedWorld();
    const answer = await world.call("list_charges", {}, VIEWER);
    expect(answer.next_cursor).toBeNull();
    expect(charges(answer)).toHaveLength(2);
    expect(charges(answer)[0]).toEqual({
      charge_id: `chg_${session_id.slice(4, 20)}-1`,
      session_id,
      parent_session_id: null,
      agent_id: "ada",
      role: null,
      team_id: null,
      task_id: "594",
      user_id: "u",
      model: "known-1",
      provider: "p",
      tool: null,
      tools: [{ tool: "web", calls: 2, cost_usd: 0.25 }],
      occurred_at: "2026-11-22T12:00:00.000Z",
      recorded_at: "2026-11-22T12:00:00.000Z",
      hour: "2026-11-22T12",
      input_tokens: 7,
      output_tokens: 0,
      cache_read_tokens: 0,
      cache_write_tokens: 0,
      cache_write_1h_tokens: 0,
      tool_calls: 2,
      cost_usd: 0.75,
      reported_usd: 0.5,
      priced_usd: 0.000007,
      cost_source: "reported",
      source: "self_reported",
      metered_by: null,
      late: false,
      latency_ms: null,
      corrects: null,
      failed: true,
    });
    expect(charges(answer)[1]).toMatchObject({ failed: false, latency_ms: 12, cost_source: "exact", tools: [] });
    expect(JSON.stringify(answer)).not.toMatch(/hunter2|hold_/);
  });

  test("tells an operator the error and the hold too", async () => {
    const { world, hold_id } = await usedWorld();
    const answer = await world.call("list_charges", {}, OPERATOR);
    expect(charges(answer)[0]).toMatchObject({ failed: true, error: "password hunter2", hold_id });
    expect(charges(answer)[1]).toMatchObject({ failed: false, error: null, hold_id: null });
  });

  test("takes the filters of get_costs, and looks three months back as it does", async () => {
    const { world, session_id } = await usedWorld();
    const count = async (args: object) => charges(await world.call("list_charges", { ...args }, VIEWER)).length;
    for (const args of [{ agent_id: "ada" }, { task_id: 594 }, { user_id: "u" }, { provider: "p" }, { session_id }])
      expect(await count(args), JSON.stringify(args)).toBe(2);
    expect(await count({ tool: "web" })).toBe(1);
    expect(await count({ tool: "llm" })).toBe(2);
    expect(await count({ user_id: "v" })).toBe(0);
    expect(await count({ end_date: "2026-11-21" })).toBe(0);
    expect(await faultText(world.call("list_charges", { session_id: "ses_none" }, VIEWER))).toBe("session_not_found:");
    world.at(START + 100 * 86_400_000);
    expect(await count({})).toBe(0);
    expect(await count({ days: 101 })).toBe(2);
  });

  test("goes on after the last charge of a page, however many came since", async () => {
    const { world, session_id } = await usedWorld();
    const first = await world.call("list_charges", { limit: 1 }, VIEWER);
    expect(first.next_cursor).toBe("1");
    await world.report({ session_id, cost_usd: 0.125 });
    const rest = await world.call("list_charges", { limit: 500, cursor: first.next_cursor }, VIEWER);
    expect(charges(rest).map((charge) => charge.cost_usd)).toEqual([0.000015, 0.125]);
    expect(rest.next_cursor).toBeNull();
    const last = await world.call("list_charges", { cursor: "3" }, VIEWER);
    expect(last).toMatchObject({ charges: [], next_cursor: null });
    for (const cursor of ["", "x", "-1", "1.5", "99999999999999"])
      expect(await faultText(world.call("list_charges", { cursor }, VIEWER)), cursor).toContain("cursor expected");
    expect(await faultText(world.call("list_charges", { limit: 501 }, VIEWER))).toContain("limit expected at most 500");
  });
});

describe("export_charges", () => {
  test("is for operators, as a record has all there is in it", async () => {
    const { world } = await usedWorld();
    expect(await faultText(world.call("export_charges", {}, VIEWER))).toBe("forbidden:");
    expect(charges(await world.call("export_charges", {}, OPERATOR))[0]).toMatchObject({
      cost_usd: "0.75",
      reported_usd: "0.5",
      priced_usd: "0.000007",
      tools: [{ tool: "web", calls: 2, cost_usd: "0.25" }],
      error: "password hunter2",
      session_status: "open",
      session_opened_at: "2026-11-22T12:00:00.000Z",
      session_ended_at: null,
      ancestors: [],
    });
  });

  test("has all that there is unless a range is named, and the sessions above each", async () => {
    const { world, session_id } = await usedWorld();
    const child = await world.open({ agent_id: "bob", parent_session_id: session_id });
    await world.report({ session_id: child.session_id, cost_usd: 0.01 });
    world.at(START + 400 * 86_400_000);
    const all = charges(await world.call("export_charges", {}, OPERATOR));
    expect(all).toHaveLength(3);
    expect(all[2]).toMatchObject({
      session_id: child.session_id,
      parent_session_id: session_id,
      root_session_id: session_id,
      ancestors: [{ session_id, agent_id: "ada", task_id: "594", user_id: "u", role: null, team_id: null }],
    });
    for (const range of [{ months: 1 }, { days: 7 }, { start_date: "2027-01-01" }])
      expect(charges(await world.call("export_charges", range, OPERATOR)), JSON.stringify(range)).toEqual([]);
  });
});
