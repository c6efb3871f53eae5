// get_cost_series: each day or month of each name, agreeing with every charge and with get_costs, on every engine.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { usdFromNano } from "../../src/core/money.ts";
import { foldCosts } from "../../src/ledger/fold.ts";
import { engines } from "../ledger/engines.ts";
import { type Answer, OPERATOR, WIDE, type World, worldOf } from "../world.ts";
import { book, charge, filters, matching, POLICY, type Row, ranges } from "./random-charges.ts";
import { faultText } from "./witness.ts";

type Series = { readonly key: string; readonly cost_usd: readonly number[]; readonly total_cost_usd: number };
const seriesOf = (answer: Answer) => answer.series as readonly Series[];
const at = (text: string): number => Date.parse(text);

/** A dollar of each agent on each of its days, at noon UTC. */
async function spent(days: Readonly<Record<string, readonly string[]>>, policy: unknown = { hardCaps: WIDE }) {
  const world = await worldOf({ policy });
  const all = Object.entries(days).flatMap(([agent, own]) => own.map((day) => ({ agent, day })));
  for (const { agent, day } of all.sort((a, b) => (a.day < b.day ? -1 : 1))) {
    world.at(at(`${day}T12:00:00Z`));
    await world.report({ session_id: (await world.open({ agent_id: agent })).session_id, cost_usd: 1 });
  }
  world.at(at("2026-11-22T12:00:00Z"));
  return world;
}

const series = (world: World, args: Record<string, unknown> = {}) => world.call("get_cost_series", args);

const RUNS: Readonly<Record<string, number>> = {
  "SQLite in memory": 40,
  "SQLite in a file": 5,
  "Postgres (PGlite)": 6,
};

describe.each(engines())("$name", (engine) => {
  beforeAll(async () => (await engine.make()).close());
  afterAll(() => engine.clear());

  const questions = fc.record({
    filter: filters,
    range: ranges,
    by: fc.constantFrom<keyof Row>("agent", "provider", "model", "tool", "team", "role", "task"),
    bucket: fc.constantFrom("day", "month"),
    most: fc.integer({ min: 1, max: 4 }),
    folds: fc.boolean(),
  });

  test("agrees with the charges one by one, and sums exactly to get_costs, for any filter and range", async () => {
    const property = fc.asyncProperty(
      fc.array(charge, { minLength: 1, maxLength: 12 }),
      fc.array(questions, { minLength: 3, maxLength: 3 }),
      async (charges, asked) => {
        const ledger = await engine.make();
        try {
          const world = await worldOf({ ledger, policy: POLICY });
          const rows: Row[] = [];
          for (const each of charges.toSorted((a, b) => a.hours - b.hours)) rows.push(...(await book(world, each)));
          world.at(at("2026-12-10T12:00:00-05:00"));
          for (const { filter, range, by, bucket, most, folds } of asked) {
            if (folds) await ledger.write(() => foldCosts("default"));
            const answer = await series(world, { ...filter, ...range, by, bucket, most });
            compare(answer, matching(rows, filter, answer), by, most);
            const costs = await world.costs({ ...filter, ...range }, OPERATOR);
            expect(answer.total_cost_usd).toBe(costs.total_cost_usd);
          }
        } finally {
          await ledger.close();
        }
      },
    );
    await fc.assert(property, { numRuns: RUNS[engine.name] ?? 1 });
  }, 60_000);
});

/** Every number is the sum of the rows it is about; the names are the dearest, in order. */
function compare(answer: Answer, rows: readonly Row[], by: keyof Row, most: number): void {
  const buckets = answer.buckets as readonly string[];
  expect(buckets).toEqual(buckets.toSorted());
  const costOf = (some: readonly Row[]) => usdFromNano(some.reduce((sum, row) => sum + row.nano, 0n));
  const named = (key: string) => rows.filter((row) => row[by] === key);
  const shown = seriesOf(answer).filter(({ key }) => key !== "(others)");
  const others = rows.filter((row) => !shown.some(({ key }) => key === row[by]));
  expect(shown.length).toBe(Math.min(most, new Set(rows.map((row) => row[by])).size));
  expect(seriesOf(answer).at(-1)?.key === "(others)").toBe(others.length > 0);
  for (const { key, cost_usd, total_cost_usd } of seriesOf(answer)) {
    const own = key === "(others)" ? others : named(key);
    expect(total_cost_usd).toBe(costOf(own));
    expect(cost_usd).toEqual(buckets.map((bucket) => costOf(own.filter(({ day }) => day.startsWith(bucket)))));
  }
  const totals = shown.map(({ total_cost_usd }) => total_cost_usd);
  expect(totals).toEqual(totals.toSorted((a, b) => b - a));
  for (const { [by]: key } of others) expect(costOf(named(String(key)))).toBeLessThanOrEqual(totals.at(-1) ?? 0);
  expect(answer.total_cost_usd).toBe(costOf(rows));
}

describe("the buckets", () => {
  test("are every day of the range up to today, those without costs too", async () => {
    const world = await spent({ ada: ["2026-11-17", "2026-11-19"], bob: ["2026-11-19"] });
    expect(await series(world, { days: 5 })).toMatchObject({
      start_date: "2026-11-18",
      end_date: "2026-11-22",
      bucket: "day",
      by: "agent",
      buckets: ["2026-11-18", "2026-11-19", "2026-11-20", "2026-11-21", "2026-11-22"],
      series: [
        { key: "ada", cost_usd: [0, 1, 0, 0, 0], total_cost_usd: 1 },
        { key: "bob", cost_usd: [0, 1, 0, 0, 0], total_cost_usd: 1 },
      ],
      total_cost_usd: 2,
    });
    const month = await series(world, { months: 1 });
    expect(month).toMatchObject({ end_date: "2026-11-30" });
    expect((month.buckets as string[]).at(-1)).toBe("2026-11-22");
  });

  test("are days for a quarter and months for what is longer, over the turn of a year", async () => {
    const world = await spent({ ada: ["2025-12-31", "2026-01-01", "2026-01-31", "2026-11-22"] });
    const months = await series(world, { start_date: "2025-12-15" });
    expect(months).toMatchObject({ bucket: "month", series: [{ cost_usd: [1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1] }] });
    expect((months.buckets as string[]).slice(0, 3)).toEqual(["2025-12", "2026-01", "2026-02"]);
    expect((await series(world, { days: 92 })).bucket).toBe("day");
    expect((await series(world, { days: 93 })).bucket).toBe("month");
    expect((await series(world)).buckets).toHaveLength(83);
  });

  test("begin with the first costs where no beginning is asked for, and are none where there is nothing", async () => {
    const world = await spent({ ada: ["2026-09-30", "2026-11-01"] });
    expect(await series(world, { end_date: "2026-11-30" })).toMatchObject({
      buckets: ["2026-09", "2026-10", "2026-11"],
      series: [{ key: "ada", cost_usd: [1, 0, 1] }],
    });
    expect(await series(world, { start_date: "2027-01-01" })).toMatchObject({ buckets: [], series: [] });
    expect(await series(world, { agent_id: "nobody", end_date: "2026-11-30" })).toMatchObject({
      buckets: ["2026-11"],
      series: [],
      total_cost_usd: 0,
    });
  });

  test("are not more than a page can draw", async () => {
    const world = await worldOf();
    expect(await faultText(series(world, { start_date: "1970-01-01", bucket: "day" }))).toBe(
      "invalid_input: start_date expected a later date: a series has at most 3660 days",
    );
    expect((await series(world, { start_date: "1970-01-01" })).buckets).toHaveLength(683);
  });

  test("of ten years cost nothing for each of the names that agents make up", async () => {
    const world = await worldOf({ policy: { hardCaps: WIDE } });
    for (let i = 0; i < 1_500; i++)
      await world.report({ session_id: (await world.open({ task_id: `t-${i}` })).session_id, cost_usd: 1 });
    const fastest = async (bucket: string) => {
      const times = [];
      for (let i = 0; i < 4; i++) {
        const began = performance.now();
        const answer = await series(world, { by: "task", days: 3_650, bucket });
        times.push(performance.now() - began);
        expect(seriesOf(answer).at(-1)).toMatchObject({ key: "(others)", total_cost_usd: 1_492 });
      }
      return Math.min(...times);
    };
    // With a cell for each day of each name it took twenty times as long, and half a gigabyte for ten thousand names.
    expect(await fastest("day")).toBeLessThan(8 * (await fastest("month")));
  });
});

test("the dearest are told by name and all others in one sum, last", async () => {
  const world = await spent({ ada: ["2026-11-20", "2026-11-21"], bob: ["2026-11-20"], kid: ["2026-11-22"] });
  expect(await series(world, { days: 3, most: 1 })).toMatchObject({
    series: [
      { key: "ada", cost_usd: [1, 1, 0], total_cost_usd: 2 },
      { key: "(others)", cost_usd: [1, 0, 1], total_cost_usd: 2 },
    ],
    total_cost_usd: 4,
  });
});

test("a tool that is called llm is one line with the model itself, as in get_costs", async () => {
  const world = await worldOf();
  const { session_id } = await world.open();
  await world.report({ session_id, cost_usd: 1, tool_calls: [{ tool: "llm", cost_usd: 0.5 }] });
  expect(await series(world, { days: 1, by: "tool" })).toMatchObject({ series: [{ key: "llm", cost_usd: [1.5] }] });
});

test("an unknown team or session is a mistake, not zeros", async () => {
  const world = await spent({}, { hardCaps: WIDE, teams: [{ id: "eng" }] });
  expect(await faultText(series(world, { team_id: "no" }))).toBe("team_not_found:");
  expect(await faultText(series(world, { session_id: "session_999999" }))).toBe("session_not_found:");
  expect((await series(world, { team_id: "eng" })).total_cost_usd).toBe(0);
});

describe("privacy", () => {
  const VIEWER = { kind: "viewer", actor: "key_1" } as const;
  const ALICE = { kind: "viewer", actor: "token alice" } as const;

  test("a single user's costs are told exactly to operators and to that user, and to no other viewer", async () => {
    const world = await worldOf({ policy: { hardCaps: WIDE, privacy: { enabled: true } } });
    const { session_id } = await world.open({ user_id: "alice" });
    await world.report({ session_id, cost_usd: 1 });
    const asked = (principal: typeof VIEWER | typeof ALICE | typeof OPERATOR) =>
      world.call("get_cost_series", { user_id: "alice" }, principal);
    expect(await faultText(asked(VIEWER))).toBe(
      "invalid_input: user_id expected no user: single users are told with noise only, see get_costs",
    );
    expect((await asked(OPERATOR)).total_cost_usd).toBe(1);
    expect((await asked(ALICE)).total_cost_usd).toBe(1);
    expect((await world.call("get_cost_series", {}, VIEWER)).total_cost_usd).toBe(1);
  });

  test("users are no series", async () => {
    const world = await worldOf();
    expect(await faultText(series(world, { by: "user" }))).toBe(
      "invalid_input: by expected one of agent, provider, model, tool, team, role, task",
    );
  });
});
