// Metered usage: every response once, by its best account.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bookedBytes } from "../../src/ledger/meter-threads.ts";
import { openSqlite } from "../../src/ledger/sqlite.ts";
import type { Principal } from "../../src/operations/operation.ts";
import { raw } from "../ledger/engines.ts";
import { START, WIDE, type World, worldOf } from "../world.ts";
import { aResponse, callsOf, charges, meter, metered, sessions, threadsOf } from "./metering.ts";
import { isClean } from "./witness.ts";

const DAY_MS = 86_400_000;
const OWNER: Principal = { kind: "owner", actor: "test" };
const POLICY = { hardCaps: WIDE, agents: [{ id: "ada" }] };
const costOf = async (world: World, args: Record<string, unknown> = {}) => (await world.costs(args)).total_cost_usd;

describe("a response", () => {
  test("is booked with all that it used, priced as it was served, and said to be metered", async () => {
    const world = await worldOf({ policy: POLICY });
    const { session, verdict } = await metered(
      world,
      "transcript",
      aResponse("msg_1", { cacheReadTokens: 10_000, cacheWriteTokens: 100, cacheWrite1hTokens: 40, speed: "fast" }),
    );
    expect(verdict.decision).toBe("allow");
    expect(await charges(world)).toMatchObject([
      {
        session_id: session.id,
        agent_id: "ada",
        model: "known-1",
        provider: "anthropic",
        input_tokens: 1_000n,
        output_tokens: 200n,
        cache_read_tokens: 10_000n,
        cache_write_tokens: 100n,
        cache_write_1h_tokens: 40n,
        cost_nano_usd: 6_310_000n,
        cost_source: "exact",
        price_list: "test, fast",
        source: "transcript",
        metered_by: "transcript",
        late: 0n,
      },
    ]);
    expect(session.totals).toMatchObject({ cost: 6_310_000n, inputTokens: 1_000n, charges: 1n });
    expect(await isClean(world)).toBe(true);
  });

  test("is booked once however often it comes, in one call, from many threads and by many at once", async () => {
    const world = await worldOf({ policy: POLICY });
    const again = aResponse("msg_1");
    await meter(world, [again, again, { ...again }]);
    await Promise.all(Array.from({ length: 8 }, () => meter(world, [again, aResponse("msg_2")])));
    const threads = threadsOf({ main: [again], other: [again, aResponse("msg_2")], third: [aResponse("msg_2")] });
    await meter(world, [], { threads });
    expect(await charges(world)).toHaveLength(2);
    expect(await costOf(world)).toBe(0.004);
    expect(await isClean(world)).toBe(true);
  });

  test("is booked once by processes that share a ledger", async () => {
    const folder = mkdtempSync(join(tmpdir(), "astra-meter-"));
    try {
      const worlds: World[] = [];
      for (let i = 0; i < 3; i++)
        worlds.push(
          await worldOf({ policy: POLICY, ledger: await openSqlite(join(folder, "ledger.db")), start: START }),
        );
      // Ids are counted in each world: they must not meet.
      for (const [i, world] of worlds.entries()) for (let n = 0; n < i * 100; n++) world.context.newId("session");
      const responses = Array.from({ length: 30 }, (_, i) => aResponse(`msg_${i}`));
      await Promise.all(worlds.map((world) => meter(world, responses)));
      const [world] = worlds;
      if (!world) throw new Error("no world");
      expect(await charges(world)).toHaveLength(30);
      expect(await sessions(world)).toHaveLength(1);
      expect(await isClean(world)).toBe(true);
      for (const each of worlds) await each.ledger.close();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test("that grew counts as the larger account says, to the token and the nano-dollar", async () => {
    const world = await worldOf({ policy: POLICY });
    const grown = [1, 7, 200].map((outputTokens, i) =>
      aResponse("msg_1", { outputTokens, toolCalls: callsOf("Bash", "Read", "Bash").slice(0, i + 1) }),
    );
    for (const response of [...grown, ...grown]) await metered(world, "transcript", response);
    const [session] = await sessions(world);
    expect(session).toMatchObject({
      input_tokens: 1_000n,
      output_tokens: 200n,
      tool_calls: 3n,
      cost_nano_usd: 2_000_000n,
    });
    expect(await world.costs()).toMatchObject({ total_cost_usd: 0.002, total_tool_calls: 3, by_tool: { llm: 0.002 } });
    const tools = await world.ledger.read(() =>
      raw("select tool, sum(calls) as calls from charge_tools group by tool"),
    );
    expect(tools).toEqual(
      expect.arrayContaining([
        { tool: "Bash", calls: 2n },
        { tool: "Read", calls: 1n },
      ]),
    );
    expect(await isClean(world)).toBe(true);
  });

  test("that grew stays in its session and on its day, whatever day and thread it is told of later", async () => {
    const policy = { hardCaps: WIDE, agents: [{ id: "ada", budget: { maxCostCents: 1 } }] };
    const world = await worldOf({ policy });
    const spent = aResponse("msg_1", { outputTokens: 2_000 });
    expect(await metered(world, "transcript", spent)).toMatchObject({ verdict: { decision: "deny" } });
    const older = { ...spent, outputTokens: 2_001, occurredAt: START - 7 * DAY_MS };
    const { session, verdict } = await metered(world, "transcript", older);
    expect(verdict.decision).toBe("deny");
    await meter(world, [], { threads: threadsOf({ main: [], other: [{ ...older, outputTokens: 2_002 }] }) });
    const rows = await charges(world);
    expect(rows).toHaveLength(5);
    expect(new Set(rows.map(({ session_id, hour }) => `${session_id} ${hour}`)).size).toBe(1);
    expect((await sessions(world)).find(({ id }) => id === session.id)).toMatchObject({
      output_tokens: 2_002n,
      cost_nano_usd: 11_010_000n,
    });
    expect(await isClean(world)).toBe(true);
  });

  test("of two accounts that differ in single counts has the larger of each, whichever is read how often", async () => {
    const world = await worldOf({ policy: POLICY });
    const some = aResponse("msg_1", { inputTokens: 10, outputTokens: 5 });
    const other = aResponse("msg_1", { inputTokens: 12, outputTokens: 3 });
    for (const response of [some, other, some, other]) await metered(world, "transcript", response);
    expect(await sessions(world)).toMatchObject([{ input_tokens: 12n, output_tokens: 5n, cost_nano_usd: 35_000n }]);
    expect(await isClean(world)).toBe(true);
  });

  test("becomes a line of each tool that it calls, at no cost of their own", async () => {
    const world = await worldOf({ policy: POLICY });
    await metered(world, "transcript", aResponse("msg_1", { toolCalls: callsOf("Bash", "Read", "Bash") }));
    expect(
      await world.ledger.read(() => raw("select tool, calls, cost_nano_usd from charge_tools order by tool")),
    ).toEqual([
      { tool: "Bash", calls: 2n, cost_nano_usd: 0n },
      { tool: "Read", calls: 1n, cost_nano_usd: 0n },
    ]);
    expect(await world.costs()).toMatchObject({ total_tool_calls: 3, by_tool: { llm: 0.002, Bash: 0, Read: 0 } });
  });

  test("has a line for the provider's web searches with their part of the cost", async () => {
    const world = await worldOf({ policy: POLICY });
    await metered(world, "transcript", aResponse("msg_1", { webSearches: 1 }));
    await metered(world, "transcript", aResponse("msg_1", { webSearches: 3, toolCalls: callsOf("web_search") }));
    expect(await world.costs()).toMatchObject({
      total_cost_usd: 0.032,
      total_tool_calls: 4,
      by_tool: { llm: 0.002, web_search: 0.03 },
    });
    expect(await isClean(world)).toBe(true);
  });

  test("that says it is of the future counts now", async () => {
    const world = await worldOf({ policy: { ...POLICY, workspace: { dailyCostLimitUsd: 1 } } });
    await metered(world, "transcript", aResponse("msg_1", { occurredAt: START + 400 * DAY_MS }));
    expect(await charges(world)).toMatchObject([{ occurred_at: BigInt(START), hour: "2026-11-22T12" }]);
  });
});

describe("a better source", () => {
  test("that knows a lower cost lowers session, balances and costs to the nano-dollar", async () => {
    const world = await worldOf({ policy: { ...POLICY, workspace: { dailyCostLimitUsd: 1 } } });
    await metered(world, "telemetry", aResponse("msg_1", { inputTokens: 5_000 }));
    const { session, verdict } = await metered(world, "gateway", aResponse("msg_1", { inputTokens: 777 }));
    expect(session.totals).toMatchObject({ cost: 1_777_000n, inputTokens: 5_000n });
    expect(verdict.limits.filter(({ measure }) => measure === "cost_usd").map(({ spent }) => spent)).toEqual([
      1_777_000n,
      1_777_000n,
    ]);
    expect(await costOf(world)).toBe(0.001777);
    expect(await isClean(world)).toBe(true);
  });

  test("lowers all that was booked of a response that had grown", async () => {
    const world = await worldOf({ policy: POLICY });
    for (const outputTokens of [1, 2_000, 4_000])
      await metered(world, "transcript", aResponse("msg_1", { outputTokens }));
    await metered(world, "gateway", aResponse("msg_1", { outputTokens: 10 }));
    expect(await costOf(world)).toBe(0.00105);
    expect(await isClean(world)).toBe(true);
  });

  test("that knows fewer searches leaves those that ran, and adds nothing to them", async () => {
    const world = await worldOf({ policy: POLICY });
    await metered(world, "telemetry", aResponse("msg_1", { webSearches: 2 }));
    for (let i = 0; i < 2; i++) await metered(world, "transcript", aResponse("msg_1"));
    expect(await world.costs()).toMatchObject({ total_cost_usd: 0.02, by_tool: { web_search: 0.02 } });
    await metered(world, "gateway", aResponse("msg_1", { webSearches: 3 }));
    expect(await world.costs()).toMatchObject({ total_cost_usd: 0.032, by_tool: { llm: 0.002, web_search: 0.03 } });
    expect(await isClean(world)).toBe(true);
  });

  test("replaces what was corrected or priced anew since", async () => {
    const world = await worldOf({ policy: POLICY });
    await metered(world, "telemetry", aResponse("msg_1"));
    const [charge] = await charges(world);
    await world.call("correct_charge", { charge_id: charge?.id, cost_usd: 5, reason: "A guess." });
    expect(await costOf(world)).toBe(5);
    await metered(world, "transcript", aResponse("msg_1"));
    expect(await costOf(world)).toBe(0.002);
    expect(await isClean(world)).toBe(true);
  });

  test("changes nothing where its day is pruned", async () => {
    const world = await worldOf({ policy: POLICY });
    await metered(world, "telemetry", aResponse("msg_1"));
    world.pass(60 * DAY_MS);
    const pruned = await world.call("prune_charges", { before: "2026-12-01", keep_rollups: true }, OWNER);
    expect(pruned).toMatchObject({ pruned_charges: 1 });
    await metered(world, "gateway", aResponse("msg_1", { inputTokens: 5_000 }));
    expect(await costOf(world, { start_date: "2026-11-01", end_date: "2027-02-01" })).toBe(0.002);
    expect(await isClean(world)).toBe(true);
  });
});

test("a weaker source changes nothing, not even a row", async () => {
  const world = await worldOf({ policy: POLICY });
  await metered(world, "gateway", aResponse("msg_1"));
  const before = await charges(world);
  for (const by of ["transcript", "telemetry", "self_reported"] as const)
    await metered(world, by, aResponse("msg_1", { inputTokens: 90_000, webSearches: 2, toolCalls: callsOf("Bash") }));
  expect(await charges(world)).toEqual(before);
});

test("how far files were read is written with what they said", async () => {
  const world = await worldOf({ policy: POLICY });
  await meter(world, [aResponse("msg_1")], { files: [{ path: "/a.jsonl", bytes: 4_711 }] });
  const bytesOf = (path: string) => world.ledger.read(() => bookedBytes("default", path));
  expect(await bytesOf("/a.jsonl")).toBe(4_711);
  expect(await bytesOf("/b.jsonl")).toBe(0);
});
