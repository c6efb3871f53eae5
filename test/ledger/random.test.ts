// Any random sequence of operations leaves a ledger that verifies clean and agrees with a naive bookkeeping, on every engine.
import fc from "fast-check";
import { afterAll, beforeAll, describe, test } from "vitest";
import { WIDE, worldOf } from "../world.ts";
import { engines } from "./engines.ts";
import { type Call, Player, type Step } from "./player.ts";

/** ASTRA_PROPERTY_TIMES=100 makes a night of it. */
const TIMES = Number(process.env.ASTRA_PROPERTY_TIMES ?? 1);
const RUNS: Readonly<Record<string, number>> = {
  "SQLite in memory": 150,
  "SQLite in a file": 30,
  "Postgres (PGlite)": 8,
};

const TEAMS = { ada: "blue", bob: "blue", cy: "red" } as const;

/** Limits of every kind, tight enough that random calls meet them. */
const policy = (onHoldExpiry: "release" | "charge") => ({
  workspace: { id: "default", dailyCostLimitUsd: 3, monthlyCostLimitUsd: 20 },
  hardCaps: { ...WIDE, maxCostCents: 150, maxSpawnDepth: 3, maxChildAgents: 5 },
  teams: [
    { id: "blue", dailyCostLimitUsd: 1.2, taskCostLimitUsd: 0.8 },
    { id: "red", dailyCostLimitUsd: 0.9 },
  ],
  agents: [
    { id: "ada", team: "blue", dailyCostLimitUsd: 0.7, quotas: { tokensPerHour: 4_000, maxConcurrentChildren: 3 } },
    { id: "bob", team: "blue" },
    { id: "cy", team: "red", quotas: { tokensPerDay: 9_000 } },
  ],
  tasks: [{ id: "1", tags: ["budget:0.40"] }],
  onHoldExpiry,
});

const index = fc.nat({ max: 30 });
const agent = fc.constantFrom("ada", "bob", "cy", "stranger");
const key = fc.option(fc.constantFrom("k1", "k2"), { freq: 2 });
const centsUpTo = (max: number) => fc.nat({ max });

const call: fc.Arbitrary<Call> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("open" as const),
      agent,
      parent: fc.option(index, { freq: 2 }),
      task: fc.option(fc.constantFrom("1", "2")),
      user: fc.option(fc.constantFrom("u1", "u2")),
      role: fc.option(fc.constantFrom("Writer", "wanderer")),
      key,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("report" as const),
      session: index,
      tokens: fc.tuple(fc.nat({ max: 900 }), fc.nat({ max: 300 }), fc.nat({ max: 100 })),
      cents: fc.option(centsUpTo(30), { freq: 3 }),
      tools: fc.uniqueArray(
        fc.record({ tool: fc.constantFrom("web", "shell"), count: fc.nat({ max: 3 }), cents: centsUpTo(5) }),
        { selector: (each) => each.tool, maxLength: 2 },
      ),
      hold: fc.option(index, { freq: 2 }),
      key,
      ago: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 3_000_000 }) }),
      isError: fc.nat({ max: 4 }).map((n) => n === 0),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("hold" as const),
      session: index,
      cents: centsUpTo(60),
      tokens: fc.nat({ max: 800 }),
      ttl: fc.constantFrom(1_000, 60_000, 7_200_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("check" as const), session: index }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("fold" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("end" as const),
      session: index,
      status: fc.constantFrom("success", "success", "success", "error", "cancelled"),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("stop" as const, "resume" as const), agent }) },
);

/** Mostly nothing, seconds or minutes; now and then into another hour, day or month. */
const wait = fc.oneof(
  { weight: 6, arbitrary: fc.nat({ max: 2_000 }) },
  { weight: 2, arbitrary: fc.nat({ max: 300_000 }) },
  { weight: 1, arbitrary: fc.constantFrom(3_600_000, 43_200_000, 864_000_000) },
);

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({ wait, calls: fc.array(call, { minLength: 1, maxLength: 4 }) }),
  { minLength: 1, maxLength: 25, size: "max" },
);

describe.each(engines())("$name", (engine) => {
  beforeAll(async () => (await engine.make()).close());
  afterAll(() => engine.clear());

  test(
    "any sequence of operations leaves every sum right and every key counted once",
    async () => {
      const property = fc.asyncProperty(
        fc.constantFrom("release" as const, "charge" as const),
        steps,
        async (onExpiry, all) => {
          const ledger = await engine.make();
          try {
            const player = new Player(await worldOf({ ledger, policy: policy(onExpiry) }), TEAMS);
            for (const step of all) await player.play(step);
            await player.compare();
          } finally {
            await ledger.close();
          }
        },
      );
      await fc.assert(property, { numRuns: (RUNS[engine.name] ?? 1) * TIMES });
    },
    120_000 * TIMES,
  );
});
