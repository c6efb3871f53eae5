// Corrections and new prices: further rows that every sum follows, and charges that stay as they were.
import { describe, expect, test } from "vitest";
import type { PriceList } from "../../src/core/price.ts";
import { foldCosts } from "../../src/ledger/fold.ts";
import { raw } from "../ledger/engines.ts";
import { AGENT, PRICES, WIDE, type World, worldOf } from "../world.ts";
import { aResponse, metered } from "./metering.ts";
import { faultText, isClean } from "./witness.ts";

const POLICY = {
  workspace: { dailyCostLimitUsd: 10 },
  hardCaps: WIDE,
  teams: [{ id: "t" }],
  agents: [{ id: "ada", team: "t" }],
};
const charges = (world: World) => world.ledger.read(() => raw("select * from charges order by seq"));

/** A session with one charge of three dollars, on a tool of which one listed call cost one. */
async function charged(policy: unknown = POLICY) {
  const world = await worldOf({ policy });
  const { session_id } = await world.open({ model: "known-model" });
  const { charge_id } = await world.report({ session_id, cost_usd: 2, tool_calls: [{ tool: "web", cost_usd: 1 }] });
  return { world, session_id, charge_id };
}

describe("a corrected charge", () => {
  test.each(["before", "after"])("counts as corrected everywhere, folded %s it", async (when) => {
    const { world, session_id, charge_id } = await charged();
    if (when === "before") await world.ledger.write(() => foldCosts("default"));
    const first = (await charges(world))[0];
    world.pass(86_400_000);
    expect(await world.call("correct_charge", { charge_id, cost_usd: 5, reason: "The bill says so." })).toMatchObject({
      before_usd: 3,
      after_usd: 5,
      correction_id: expect.stringMatching(/-2$/),
    });
    if (when === "after") await world.ledger.write(() => foldCosts("default"));
    expect((await charges(world))[0]).toEqual(first);
    const costs = await world.costs({ group_by: ["day", "team"] });
    expect(costs).toMatchObject({
      total_cost_usd: 5,
      by_agent: { ada: 5 },
      by_team: { t: 5 },
      by_tool: { llm: 4, web: 1 },
      by_day: [{ day: "2026-11-22", cost_usd: 5 }],
    });
    expect(await world.costs({ session_id })).toMatchObject({ total_cost_usd: 5 });
    expect(await isClean(world)).toBe(true);
  });

  test("moves the caps of its own time, not of today", async () => {
    const { world, session_id, charge_id } = await charged();
    await world.call("correct_charge", { charge_id, cost_usd: 10, reason: "More." });
    expect((await world.check({ session_id })).verdict.decision).toBe("deny");
    world.pass(86_400_000);
    await world.call("correct_charge", { charge_id, cost_usd: 9_000, reason: "Much more." });
    const limits = (await world.call("list_limits")).limits as Record<string, unknown>[];
    expect(limits.find((limit) => limit.scope === "workspace" && limit.window === "day")).toMatchObject({ spent: 0 });
    expect(await isClean(world)).toBe(true);
  });

  test("may be corrected again, down to what its tools cost, and back to what it was", async () => {
    const { world, charge_id } = await charged();
    for (const [cost, before] of [
      [4, 3],
      [1, 4],
      [3, 1],
    ]) {
      const answer = await world.call("correct_charge", { charge_id, cost_usd: cost, reason: "So." });
      expect(answer).toMatchObject({ before_usd: before, after_usd: cost });
    }
    expect(await world.call("correct_charge", { charge_id, cost_usd: 3, reason: "Again." })).toMatchObject({
      correction_id: null,
    });
    expect(await world.costs()).toMatchObject({ total_cost_usd: 3 });
    expect(await faultText(world.call("correct_charge", { charge_id, cost_usd: 0.5, reason: "Too low." }))).toBe(
      "invalid_input: cost_usd expected at least 1, what its tools cost",
    );
    expect(await isClean(world)).toBe(true);
  });

  test("is no longer counted as unpriced", async () => {
    const world = await worldOf({ policy: { ...POLICY, unknownModel: "unpriced" } });
    const { session_id } = await world.open({ model: "mystery" });
    const { charge_id } = await world.report({ session_id, input_tokens: 1_000 });
    expect(await world.costs()).toMatchObject({ unpriced_charges: 1, unpriced_models: ["mystery"] });
    for (const cost_usd of [1, 2]) await world.call("correct_charge", { charge_id, cost_usd, reason: "Priced." });
    await world.ledger.write(() => foldCosts("default"));
    expect(await world.costs()).toMatchObject({ unpriced_charges: 0, unpriced_models: [], total_cost_usd: 2 });
    expect(await isClean(world)).toBe(true);
  });

  test("is noted in the audit, once for one key, and only an operator's to make", async () => {
    const { world, charge_id } = await charged();
    const args = { charge_id, cost_usd: 5, reason: "The bill.", idempotency_key: "k" };
    const answer = await world.call("correct_charge", args);
    expect(await world.call("correct_charge", args)).toEqual(answer);
    expect((await world.call("list_audit")).entries).toMatchObject([
      {
        action: "correct_charge",
        target: `charge ${charge_id}`,
        before: { cost_usd: 3 },
        after: { cost_usd: 5 },
        why: "The bill.",
      },
    ]);
    expect(await faultText(world.call("correct_charge", args, AGENT))).toBe("forbidden:");
    expect(await charges(world)).toHaveLength(2);
  });

  test("must be a charge that was reported", async () => {
    const { world, charge_id } = await charged();
    const { correction_id } = await world.call("correct_charge", { charge_id, cost_usd: 5, reason: "So." });
    expect(
      await faultText(world.call("correct_charge", { charge_id: correction_id, cost_usd: 1, reason: "No." })),
    ).toBe("invalid_input: charge_id expected a charge that was reported; this one is a correction charge");
    for (const id of [`${charge_id}9`, "chg_nobody-1"])
      expect(await faultText(world.call("correct_charge", { charge_id: id, cost_usd: 1, reason: "No." }))).toBe(
        "not_found:",
      );
    expect(await faultText(world.call("correct_charge", { charge_id: "594", cost_usd: 1, reason: "No." }))).toContain(
      "invalid_input: charge_id",
    );
  });
});

test.each(["telemetry", "transcript", "gateway"] as const)("a charge of %s can be corrected too", async (by) => {
  const world = await worldOf({ policy: POLICY });
  await metered(world, by, aResponse("msg_1"));
  const [charge] = await charges(world);
  await world.call("correct_charge", { charge_id: charge?.id, cost_usd: 3, reason: "The bill." });
  expect(await world.costs()).toMatchObject({ total_cost_usd: 3 });
  expect((await charges(world)).map(({ source, metered_by }) => [source, metered_by])).toEqual([
    [by, by],
    ["correction", by],
  ]);
  expect(await isClean(world)).toBe(true);
});

describe("recost", () => {
  /** The known model at twice its price; a mystery model at one dollar a million. */
  const dearer: PriceList = {
    ...PRICES,
    find: (model, provider, at) => {
      const known = PRICES.find(model === "mystery" ? "known" : model, provider, at);
      if (!known || model === "mystery") return known;
      const base = Object.fromEntries(Object.entries(known.rates.base).map(([kind, price]) => [kind, price * 2n]));
      return { ...known, rates: { ...known.rates, base: base as typeof known.rates.base } };
    },
  };

  async function priced() {
    const world = await worldOf({ policy: { ...POLICY, tools: { draw: { estimatedCostUsd: 0.25 } } } });
    const { session_id } = await world.open();
    const million = { session_id, input_tokens: 1_000_000 };
    await world.report({ ...million, model: "known-a", tool: "draw" }); // 1 + 0.25
    await world.report({ ...million, model: "known-b" }); // 1
    await world.report({ ...million, model: "mystery" }); // the dearest known: 10
    await world.report({ session_id, model: "known-a", cost_usd: 7 });
    return { world, context: { ...world.context, prices: dearer } };
  }

  test("prices again what was priced, not what was reported or corrected; a second time it changes nothing", async () => {
    const { world } = await priced();
    const { invoke } = await import("../../src/operations/operation.ts");
    const { recost } = await import("../../src/operations/recost.ts");
    const later = { ...world.context, prices: dearer, policy: world.context.policy };
    const ask = (args: Record<string, unknown>) =>
      invoke(recost, later, { kind: "operator", actor: "test" }, { since: "2026-11-22", ...args });
    expect(await world.costs()).toMatchObject({ total_cost_usd: 19.25, approximate_charges: 1 });
    const planned = await ask({ dry_run: true });
    expect(planned).toMatchObject({ examined: 3, changed: 3, before_usd: 12.25, after_usd: 5.25, next_cursor: null });
    expect(planned.by_model).toEqual([
      { model: "known-a", changed: 1, before_usd: 1.25, after_usd: 2.25 },
      { model: "known-b", changed: 1, before_usd: 1, after_usd: 2 },
      { model: "mystery", changed: 1, before_usd: 10, after_usd: 1 },
    ]);
    expect(await world.costs()).toMatchObject({ total_cost_usd: 19.25 });
    expect(await ask({ model: "known-b" })).toMatchObject({ examined: 1, changed: 1 });
    expect(await ask({})).toMatchObject({ examined: 3, changed: 2 });
    expect(await ask({})).toMatchObject({ examined: 3, changed: 0 });
    expect(await ask({ since: "2026-11-23" })).toMatchObject({ examined: 0 });
    expect(await ask({ since: "2026-11-01", until: "2026-11-21" })).toMatchObject({ examined: 0 });
    expect(await world.costs()).toMatchObject({ total_cost_usd: 12.25, approximate_charges: 0 });
    expect((await world.call("list_audit")).entries).toHaveLength(2);
    expect(await isClean(world)).toBe(true);
  });

  test("keeps what was served fast or in one country so, the searches, and what replaced another charge", async () => {
    const { invoke } = await import("../../src/operations/operation.ts");
    const { recost } = await import("../../src/operations/recost.ts");
    const world = await worldOf({ policy: POLICY });
    const million = { inputTokens: 1_000_000, outputTokens: 0 };
    const both = { speed: "fast", region: "us" } as const;
    await metered(
      world,
      "transcript",
      aResponse("msg_1", { ...million, speed: "fast" }), // 2
      aResponse("msg_2", { ...million, region: "us" }), // 1.1
      aResponse("msg_3", { ...million, ...both, webSearches: 3 }), // 2.2 + 0.03
      aResponse("msg_4", { ...million, inputTokens: 500_000 }),
    );
    await metered(world, "transcript", aResponse("msg_4", million)); // 1
    const lists = (await charges(world)).map((charge) => charge.price_list);
    expect(lists.slice(0, 4)).toEqual(["test, fast", "test, us", "test, fast, us", "test"]);
    const later = { ...world.context, prices: dearer, policy: world.context.policy };
    const ask = () => invoke(recost, later, { kind: "operator", actor: "test" }, { since: "2026-11-22" });
    expect(await ask()).toMatchObject({ changed: 3, before_usd: 5.33, after_usd: 10.63 });
    expect(await ask()).toMatchObject({ changed: 0 });
    expect(await world.costs()).toMatchObject({ total_cost_usd: 11.63, by_tool: { llm: 11.6, web_search: 0.03 } });
    // A better source's account takes the place of what was priced anew, too.
    await metered(world, "gateway", aResponse("msg_1", million));
    expect(await world.costs()).toMatchObject({ total_cost_usd: 8.63 });
    expect(await isClean(world)).toBe(true);
  });

  test("goes on from page to page", async () => {
    const world = await worldOf({ policy: POLICY });
    const { session_id } = await world.open({ model: "known" });
    for (let i = 0; i < 12; i++)
      await Promise.all(Array.from({ length: 100 }, () => world.report({ session_id, input_tokens: 1 })));
    const { invoke } = await import("../../src/operations/operation.ts");
    const { recost } = await import("../../src/operations/recost.ts");
    const later = { ...world.context, prices: dearer, policy: world.context.policy };
    const pages: number[] = [];
    let cursor: string | null | undefined;
    while (cursor !== null) {
      const answer = await invoke(
        recost,
        later,
        { kind: "operator", actor: "test" },
        {
          since: "2026-11-22",
          ...(cursor === undefined ? {} : { cursor }),
        },
      );
      pages.push(answer.changed);
      cursor = answer.next_cursor;
    }
    expect(pages.reduce((sum, changed) => sum + changed, 0)).toBe(1_200);
    expect(pages.length).toBeGreaterThan(2);
    expect(await world.costs()).toMatchObject({ charges: 1_200, total_cost_usd: 0.0024 });
    expect(await isClean(world)).toBe(true);
  });
});
