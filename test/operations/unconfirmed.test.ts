// Holds that nobody settled, where the policy books them: once, and taken back when the report comes after all.
import { expect, test } from "vitest";
import { WIDE, worldOf } from "../world.ts";

const CHARGING = { hardCaps: WIDE, onHoldExpiry: "charge" };

async function forgottenHold() {
  const world = await worldOf({ policy: CHARGING });
  const { session_id } = await world.open();
  const { hold_id } = await world.check({
    session_id,
    estimate: { cost_usd: 0.4, tool_calls: 2 },
    hold: true,
    hold_ttl_ms: 1000,
  });
  return { world, session_id, hold_id };
}

test("a forgotten hold is booked as an unconfirmed charge once its time is over", async () => {
  const { world, session_id } = await forgottenHold();
  world.pass(999);
  expect((await world.check({ session_id })).verdict.limits[0]).toMatchObject({ spent: 0, held: 0.4 });
  world.pass(1);
  expect((await world.check({ session_id })).verdict.limits[0]).toMatchObject({ spent: 0.4, held: 0 });
  expect(await world.costs()).toMatchObject({ total_cost_usd: 0.4, charges: 1, total_tool_calls: 2 });
});

test("a report that comes after that replaces the unconfirmed charge, dearer or cheaper", async () => {
  for (const cost of [0.1, 0.7]) {
    const { world, session_id, hold_id } = await forgottenHold();
    world.pass(5000);
    await world.check({ session_id });
    const answer = await world.report({ session_id, hold_id, cost_usd: cost });
    expect(answer).toMatchObject({ hold: "was_closed", cost_usd: cost, session: { cost_usd: cost, tool_calls: 0 } });
    expect(await world.costs()).toMatchObject({ total_cost_usd: cost, by_agent: { ada: cost } });
    expect(await world.call("verify_ledger")).toMatchObject({ ok: true, charges: 3 });
  }
});

test("a second report on the same hold is added, and takes nothing back again", async () => {
  const { world, session_id, hold_id } = await forgottenHold();
  world.pass(5000);
  await world.check({ session_id });
  await world.report({ session_id, hold_id, cost_usd: 0.1 });
  const answer = await world.report({ session_id, hold_id, cost_usd: 0.2 });
  expect(answer).toMatchObject({ session: { cost_usd: 0.3 } });
  expect(await world.call("verify_ledger")).toMatchObject({ ok: true });
});

test("a late report that finds its hold overdue but not yet expired settles it", async () => {
  const { world, session_id, hold_id } = await forgottenHold();
  world.pass(5000);
  expect(await world.report({ session_id, hold_id, cost_usd: 0.1 })).toMatchObject({
    hold: "settled",
    session: { cost_usd: 0.1 },
  });
  expect(await world.call("verify_ledger")).toMatchObject({ ok: true, charges: 1 });
});
