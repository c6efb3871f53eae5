// Holds at the edge of a window: what one window admitted never counts on another's cap.
import { expect, test } from "vitest";
import { WIDE, worldOf } from "../world.ts";

const MIDNIGHT = Date.parse("2026-11-23T00:00:00Z");
const A_DOLLAR_A_DAY = { hardCaps: WIDE, workspace: { dailyCostLimitUsd: 1 } };
const dollar = { estimate: { cost_usd: 1 }, hold: true };

test("a hold made before midnight and settled after it is spent on the day that admitted it", async () => {
  const world = await worldOf({ policy: A_DOLLAR_A_DAY, start: MIDNIGHT - 10_000 });
  const { session_id } = await world.open();
  const before = await world.check({ session_id, ...dollar });
  world.at(MIDNIGHT + 10_000);
  const after = await world.check({ session_id, ...dollar });
  expect([before.hold_id, after.hold_id]).toEqual([expect.any(String), expect.any(String)]);
  await world.report({ session_id, hold_id: before.hold_id, cost_usd: 1 });
  const last = await world.report({ session_id, hold_id: after.hold_id, cost_usd: 1 });
  const day = last.verdict.limits.find((limit) => limit.scope === "workspace" && limit.window === "day");
  expect(day).toMatchObject({ spent: 1, held: 0, overspend: 0 });
  const costs = await world.costs({ group_by: ["day"] });
  expect(costs.by_day).toEqual([
    { day: "2026-11-22", cost_usd: 1 },
    { day: "2026-11-23", cost_usd: 1 },
  ]);
  expect(await world.call("verify_ledger")).toMatchObject({ ok: true });
});

test("an occurred_at before the hold was made does not move its charge to where nothing was held", async () => {
  const world = await worldOf({ policy: A_DOLLAR_A_DAY, start: MIDNIGHT - 60_000 });
  const { session_id } = await world.open();
  world.at(MIDNIGHT + 1_000);
  const { hold_id } = await world.check({ session_id, ...dollar });
  const occurred_at = new Date(MIDNIGHT - 1_000).toISOString();
  await world.report({ session_id, hold_id, cost_usd: 1, occurred_at });
  expect((await world.costs({ group_by: ["day"] })).by_day).toEqual([{ day: "2026-11-23", cost_usd: 1 }]);
});

test("a hold outlasts its session's deadline by five minutes at most", async () => {
  const world = await worldOf({ policy: {} }); // the built-in five minutes a session
  const { session_id } = await world.open();
  const { hold_expires_at } = await world.check({ session_id, ...dollar, hold_ttl_ms: 86_400_000 });
  expect(Date.parse(String(hold_expires_at)) - world.context.now()).toBe(600_000);
});

test("a model the policy denies is booked at the dearest price, for the money is spent", async () => {
  const world = await worldOf({ policy: { hardCaps: WIDE, unknownModel: "deny" } });
  const { session_id } = await world.open();
  const answer = await world.report({ session_id, input_tokens: 1_000_000, model: "nobody-knows" });
  expect(answer).toMatchObject({ cost_usd: 10, cost_source: "worst_known" });
  expect(answer.verdict).toMatchObject({ decision: "deny", binding: { kind: "unknown_model" } });
});

test("costs of a provider list the sessions that were charged for it, named or not", async () => {
  const world = await worldOf();
  const { session_id } = await world.open();
  await world.report({ session_id, input_tokens: 1_000_000, model: "known-one" });
  await world.open({ agent_id: "idle" });
  const costs = await world.costs({ provider: "anthropic" });
  expect(costs).toMatchObject({ total_cost_usd: 1, sessions: [{ agent_name: "ada" }], sessions_left_out: 0 });
});
