// What every engine must answer when asked for costs: the month table, the day table and the charges themselves agree.
import { beforeEach, expect, test } from "vitest";
import { NO_USAGE } from "../../../src/core/usage.ts";
import { recordCharge } from "../../../src/ledger/charges.ts";
import { sessionsOf } from "../../../src/ledger/cost-sessions.ts";
import { DIMENSIONS, type Dimension, SUMS, type Sums } from "../../../src/ledger/cost-shape.ts";
import { type CostFilter, costsBy, costTotals, everything } from "../../../src/ledger/costs.ts";
import { foldCosts } from "../../../src/ledger/fold.ts";
import type { Ledger } from "../../../src/ledger/ledger.ts";
import type { Session } from "../../../src/ledger/session-row.ts";
import { verifyLedger } from "../../../src/ledger/verify.ts";
import { aCharge, aSession, hourOf, seeded, WORKSPACE } from "../fixtures.ts";

const FILTER = everything(WORKSPACE, "2026-01-01", "2026-12-31");
/** The same data, but no whole months at the ends: answered from days or cells too. */
const BY_DAYS: CostFilter = { ...FILTER, fromDay: "2026-09-30", toDay: "2026-11-22" };
/** The same data as one part of no month. */
const WITHIN: CostFilter = { ...FILTER, fromDay: "2026-11-01", toDay: "2026-11-22" };

const NONE = Object.fromEntries(SUMS.map((column) => [column, 0n])) as Sums;

function sumOf(parts: readonly Sums[]): Sums {
  return Object.fromEntries(
    SUMS.map((column) => [column, parts.reduce((sum, part) => sum + part[column], 0n)]),
  ) as Sums;
}

export function costSteps(ledger: () => Ledger): void {
  let sessions: Session[] = [];
  beforeEach(async () => {
    sessions = await fill(ledger());
  });

  const groups = async (dimension: Dimension, filter: CostFilter) =>
    new Map((await ledger().read(() => costsBy(dimension, filter))).map(({ key, ...sums }) => [key, sums]));
  const totals = (filter: CostFilter) => ledger().read(() => costTotals(filter));

  test("totals are the sums of all charges", async () => {
    const expected = { charges: 8n, unpriced: 1n, input_tokens: 36n, output_tokens: 360n, cost_nano_usd: 36_000n };
    expect(await totals(FILTER)).toMatchObject(expected);
    expect(await totals(BY_DAYS)).toEqual(await totals(FILTER));
    expect(await totals({ ...FILTER, workspaceId: "another" })).toEqual(NONE);
    expect(await totals({ ...FILTER, fromDay: "2025-01-01", toDay: "2025-12-31" })).toEqual(NONE);
  });

  test.each(DIMENSIONS)(
    "costs by %s are the same before and after they are folded, whichever table answers",
    async (dimension) => {
      const asked = async () =>
        Promise.all(
          [FILTER, BY_DAYS, WITHIN].flatMap((range) =>
            [{}, { agentId: "ada" }, { teamId: "blue" }, { agentId: "bob", provider: "anthropic" }, { tool: "" }].map(
              (only) => groups(dimension, { ...range, ...only }),
            ),
          ),
        );
      const before = await asked();
      await ledger().write(() => foldCosts(WORKSPACE));
      expect(await asked()).toEqual(before);
      expect((await ledger().read(verifyLedger)).differences).toEqual([]);
    },
  );

  test.each(DIMENSIONS)("costs by %s sum to the total, whichever table answers", async (dimension) => {
    const total = await totals(FILTER);
    const fromDays = await groups(dimension, BY_DAYS);
    expect(sumOf([...fromDays.values()])).toEqual(total);
    expect(await groups(dimension, FILTER)).toEqual(fromDays);
    const perSession = await Promise.all(
      sessions.map((session) => groups(dimension, { ...FILTER, sessionId: session.id })),
    );
    const fromCharges = new Map<string, Sums>();
    for (const found of perSession) {
      for (const [key, sums] of found) fromCharges.set(key, sumOf([fromCharges.get(key) ?? NONE, sums]));
    }
    expect(fromCharges).toEqual(fromDays);
  });

  test("groups come dearest first, and what has no attribution is a group of its own", async () => {
    const tools = await ledger().read(() => costsBy("tool", FILTER));
    const costs = tools.map((group) => group.cost_nano_usd);
    expect(costs).toEqual([...costs].sort((a, b) => Number(b - a)));
    expect(tools.map((group) => group.key).sort()).toEqual(["", "browser", "planner", "web_search"]);
    expect((await groups("team", FILTER)).get("")?.charges).toBeGreaterThan(0n);
  });

  test.each([
    ["agent", { agentId: "ada" }],
    ["provider", { provider: "openai" }],
    ["team", { teamId: "blue" }],
    ["task", { taskId: "594" }],
    ["user", { userId: "u1" }],
    ["role", { role: "writer" }],
    ["model", { model: "m2" }],
    ["tool", { tool: "browser" }],
  ] as const)("a filter by %s answers that group alone", async (dimension, only) => {
    const [value] = Object.values(only);
    const group = (await groups(dimension, FILTER)).get(value ?? "");
    expect(group?.cost_nano_usd).toBeGreaterThan(0n);
    expect(await totals({ ...FILTER, ...only })).toEqual(group);
    expect(await totals({ ...BY_DAYS, ...only })).toEqual(group);
    expect([...(await groups(dimension, { ...FILTER, ...only })).keys()]).toEqual([value]);
  });

  test("a range takes both its days in, and nothing outside them", async () => {
    const days = await groups("day", FILTER);
    const between = await groups("day", { ...FILTER, fromDay: "2026-10-31", toDay: "2026-11-01" });
    expect([...between.keys()].sort()).toEqual(["2026-10-31", "2026-11-01"]);
    for (const [day, sums] of between) expect(sums).toEqual(days.get(day));
    const november = { ...FILTER, fromDay: "2026-11-01", toDay: "2026-11-30" };
    expect([...(await groups("month", november)).keys()]).toEqual(["2026-11"]);
  });

  test("the sessions of a range are listed newest first and counted", async () => {
    const found = await ledger().read(() => sessionsOf(FILTER, 0, Number.MAX_SAFE_INTEGER, 3));
    expect(found.count).toBe(sessions.length);
    expect(found.sessions.map((each) => each.id)).toEqual(
      sessions
        .map((each) => each.id)
        .reverse()
        .slice(0, 3),
    );
    const ofAda = await ledger().read(() => sessionsOf({ ...FILTER, agentId: "ada" }, 0, Number.MAX_SAFE_INTEGER, 9));
    expect(ofAda.sessions.every((each) => each.agentId === "ada")).toBe(true);
    const [, second] = sessions;
    const opened = second?.openedAt ?? 0;
    const within = await ledger().read(() => sessionsOf(FILTER, opened, opened + 1, 9));
    expect(within.sessions.map((each) => each.id)).toEqual([second?.id]);
    expect(await ledger().read(() => sessionsOf(FILTER, opened + 1, opened + 2, 9))).toEqual({
      sessions: [],
      count: 0,
    });
  });
}

const DAYS = ["2026-09-30", "2026-10-31", "2026-11-01", "2026-11-22"];

/** Four sessions with every attribution or none, two charges each on different days, one of them with tools. */
async function fill(ledger: Ledger): Promise<Session[]> {
  const all = [
    { agentId: "ada", role: "writer", teamId: "blue", taskId: "594", userId: "u1", provider: "anthropic", model: "m1" },
    { agentId: "ada", teamId: "blue", taskId: "7", userId: "u2", provider: "openai", model: "m2" },
    { agentId: "bob", teamId: "red", taskId: "594", provider: "anthropic" },
    { agentId: "bob" },
  ].map((changes, i) => aSession({ ...changes, openedAt: Date.parse(`${DAYS[i]}T08:00:00Z`) }));
  await ledger.write(function* () {
    let n = 0n;
    for (const [i, session] of all.entries()) {
      yield* seeded(session);
      for (const plus of [0, 1]) {
        n += 1n;
        const occurredAt = Date.parse(`${DAYS[(i + plus) % DAYS.length]}T10:00:00Z`);
        const lines = [
          { tool: "browser", calls: 1n, cost: 10n * n },
          { tool: "web_search", calls: 2n, cost: 20n * n },
        ];
        yield* recordCharge(
          aCharge(session, {
            occurredAt,
            hour: hourOf(occurredAt),
            tool: n % 4n === 0n ? "planner" : null,
            usage: {
              ...NO_USAGE,
              inputTokens: n,
              outputTokens: 10n * n,
              cacheReadTokens: 1n,
              toolCalls: plus === 0 ? 0n : 4n,
            },
            cost: 1_000n * n,
            costSource: n === 8n ? "unpriced" : "exact",
            lines: plus === 0 ? [] : lines,
          }),
        );
      }
    }
  });
  return all;
}
