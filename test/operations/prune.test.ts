// Pruning: old charges go, what they came to stays, and nothing that is derived becomes wrong.
import { describe, expect, test } from "vitest";
import { raw } from "../ledger/engines.ts";
import { OPERATOR, WIDE, type World, worldOf } from "../world.ts";
import { faultText, isClean } from "./witness.ts";

const OWNER = { kind: "owner", actor: "test" } as const;
const DAY = 86_400_000;
const at = (text: string): number => Date.parse(text);

/** Two agents' charges on every third day of 120, 2,100 of them on the first, with tools and errors. */
async function filled(): Promise<World> {
  const world = await worldOf({ policy: { hardCaps: WIDE }, start: at("2026-07-26T12:00:00Z") });
  for (let day = 0; day < 120; day += 3) {
    for (const agent_id of ["ada", "bob"]) {
      const { session_id } = await world.open({ agent_id, model: "known", user_id: `u${day % 2}`, task_id: "594" });
      const reports = day === 0 && agent_id === "ada" ? 2_100 : 2;
      for (let i = 0; i < reports; i += 100)
        await Promise.all(
          Array.from({ length: Math.min(100, reports - i) }, (_, k) =>
            world.report({
              session_id,
              input_tokens: 1_000 + day,
              ...(k % 2 === 0 ? { tool_calls: [{ tool: "web", cost_usd: 0.001 }] } : { error: "failed" }),
            }),
          ),
        );
      await world.end({ session_id });
    }
    world.pass(3 * DAY);
  }
  return world;
}

async function prune(world: World, args: Record<string, unknown>) {
  const sums = { charges: 0, days: 0, calls: 0 };
  let cursor: unknown;
  do {
    const answer = await world.call("prune_charges", { ...args, ...(cursor === undefined ? {} : { cursor }) }, OWNER);
    sums.charges += Number(answer.pruned_charges);
    sums.days += Number(answer.pruned_days);
    sums.calls += 1;
    cursor = answer.next_cursor;
    expect(await isClean(world)).toBe(true);
  } while (cursor !== null);
  return sums;
}

const BY = { group_by: ["agent", "user", "task", "model", "tool", "day", "month"] };
const stored = async (world: World) =>
  Number((await world.ledger.read(() => raw<{ n: bigint }>("select count(*) as n from charges")))[0]?.n);

describe("pruning", () => {
  test("with their rollups kept, costs are as before and only the charges are gone", async () => {
    const world = await filled();
    const before = await world.costs({ months: 12, ...BY });
    const all = await stored(world);
    const pruned = await prune(world, { before: "2026-10-01", keep_rollups: true });
    expect(pruned.calls).toBeGreaterThan(1);
    expect(pruned.charges).toBeGreaterThan(2_100);
    expect(pruned.days).toBe(0);
    expect(await stored(world)).toBe(all - pruned.charges);
    expect(await world.costs({ months: 12, ...BY })).toEqual(before);
    const { session_id } = await world.open();
    await world.report({ session_id, cost_usd: 1 });
    const after = await world.costs({ months: 12 });
    expect(after.charges).toBe(Number(before.charges) + 1);
    expect(after.total_cost_usd).toBeCloseTo(Number(before.total_cost_usd) + 1, 9);
    expect(await isClean(world)).toBe(true);
  });

  test("without them, costs begin on the day, exactly", async () => {
    const world = await filled();
    const rest = await world.costs({ start_date: "2026-10-08", ...BY });
    const { days } = await prune(world, { before: "2026-10-08" });
    expect(days).toBe(25);
    const { start_date, ...left } = await world.costs({ start_date: "2026-01-01", ...BY });
    expect(start_date).toBe("2026-01-01");
    expect(left).toMatchObject({ total_cost_usd: rest.total_cost_usd, charges: rest.charges });
    for (const by of BY.group_by) expect(left[`by_${by}`]).toEqual(rest[`by_${by}`]);
    expect(await world.costs({ months: 12, agent_id: "ada" })).toMatchObject({ charges: 30 });
  });

  test("again changes nothing; a later day goes on", async () => {
    const world = await filled();
    await prune(world, { before: "2026-10-01", keep_rollups: true });
    expect((await prune(world, { before: "2026-10-01", keep_rollups: true })).charges).toBe(0);
    expect((await prune(world, { before: "2026-10-08", keep_rollups: true })).charges).toBe(8);
    expect((await prune(world, { before: "2026-10-08" })).days).toBe(25);
  });

  test("is an owner's, of days at least 31 ago, and noted in the audit", async () => {
    const world = await filled();
    expect(await faultText(world.call("prune_charges", { before: "2026-10-01" }, OPERATOR))).toBe("forbidden:");
    for (const before of ["2026-11-20", "2026-10-24", "9999-12-31"])
      expect(await faultText(world.call("prune_charges", { before }, OWNER))).toBe(
        "invalid_input: before expected a day at least 31 days ago",
      );
    await prune(world, { before: "2026-10-01", keep_rollups: true, reason: "Space." });
    expect((await world.call("list_audit")).entries).toMatchObject([
      { action: "prune_charges", target: "charges before 2026-10-01", why: "Space." },
    ]);
  });

  test("nobody reaches another workspace's charges, and no cursor goes on with what was not begun", async () => {
    const world = await filled();
    const other = await worldOf({
      ledger: world.ledger,
      policy: { workspace: { id: "other" }, hardCaps: WIDE },
      start: world.context.now(),
    });
    // Its ids are counted too: past those of the first.
    for (let i = 0; i < 9_000; i++) other.context.newId("session");
    await other.open();
    const all = await stored(world);
    for (const cursor of ["1", "1099511627777", "costs"])
      expect(await faultText(other.call("prune_charges", { before: "2026-10-01", cursor }, OWNER))).toContain("cursor");
    const { next_cursor } = await other.call("prune_charges", { before: "2026-10-01" }, OWNER);
    expect(next_cursor).toBe("costs");
    for (const cursor of ["1", "costs"]) await other.call("prune_charges", { before: "2026-10-01", cursor }, OWNER);
    expect(await faultText(world.call("prune_charges", { before: "2026-10-01", cursor: "0" }, OWNER))).toContain(
      "cursor",
    );
    const recosted = await other.call("recost", { since: "2026-01-01" });
    expect(recosted).toMatchObject({ examined: 0, changed: 0 });
    expect(await stored(world)).toBe(all);
    expect(await isClean(world)).toBe(true);
  });

  test("what is reported after a pruned correction still counts: no number is given twice", async () => {
    const world = await worldOf({ policy: { hardCaps: WIDE }, start: at("2026-07-26T12:00:00Z") });
    const { session_id } = await world.open();
    const { charge_id } = await world.report({ session_id, cost_usd: 1 });
    world.pass(100 * DAY);
    await world.call("correct_charge", { charge_id, cost_usd: 5, reason: "The bill." });
    await prune(world, { before: "2026-08-01", keep_rollups: true });
    const later = await world.open();
    for (const cost_usd of [5, 7]) await world.report({ session_id: later.session_id, cost_usd });
    expect(await world.costs({ months: 12 })).toMatchObject({ total_cost_usd: 17, charges: 3 });
    expect(await isClean(world)).toBe(true);
  });

  test("a late report takes the charge of a forgotten hold back, however old that is", async () => {
    const policy = { hardCaps: WIDE, onHoldExpiry: "charge" };
    const world = await worldOf({ policy, start: at("2026-07-26T12:00:00Z") });
    const { session_id } = await world.open();
    const { hold_id } = await world.check({ session_id, estimate: { cost_usd: 3 }, hold: true, hold_ttl_ms: 1_000 });
    world.pass(100 * DAY);
    await world.check({ session_id });
    await prune(world, { before: "2026-08-01", keep_rollups: true });
    await world.report({ session_id, cost_usd: 3, hold_id });
    expect(await world.costs({ months: 12 })).toMatchObject({ total_cost_usd: 3, charges: 1 });
    expect(await isClean(world)).toBe(true);
  });

  test("a pruned charge can no longer be corrected", async () => {
    const world = await worldOf({ policy: { hardCaps: WIDE }, start: at("2026-07-26T12:00:00Z") });
    const { session_id } = await world.open();
    const { charge_id } = await world.report({ session_id, cost_usd: 1 });
    world.pass(100 * DAY);
    await prune(world, { before: "2026-08-01", keep_rollups: true });
    expect(await faultText(world.call("correct_charge", { charge_id, cost_usd: 2, reason: "Late." }))).toBe(
      "not_found:",
    );
    expect(await world.costs({ months: 12 })).toMatchObject({ total_cost_usd: 1 });
  });
});
