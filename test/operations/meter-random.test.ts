// Random accounts of responses, from every source in any order: the ledger comes to what a plain model says.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { METERS, type MeteredResponse } from "../../src/core/metered.ts";
import { everything as allCosts, costTotals } from "../../src/ledger/costs.ts";
import { foldCosts } from "../../src/ledger/fold.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import { engines } from "../ledger/engines.ts";
import { START, WIDE, worldOf } from "../world.ts";
import { aResponse, callsOf, meter, threadsOf } from "./metering.ts";

const TIMES = Number(process.env.ASTRA_PROPERTY_TIMES ?? 1);
const RUNS: Readonly<Record<string, number>> = {
  "SQLite in memory": 60,
  "SQLite in a file": 10,
  "Postgres (PGlite)": 5,
};
const POLICY = { hardCaps: WIDE, agents: [{ id: "ada", budget: { maxDuration: 3_600_000 } }] };
/** A search, and a token in and out, in nano-dollars. */
const PRICE = { search: 10_000_000, input: 1_000, output: 5_000 };

const response = fc
  .record({
    id: fc.nat({ max: 5 }),
    inputTokens: fc.nat({ max: 9_000 }),
    outputTokens: fc.nat({ max: 9_000 }),
    webSearches: fc.nat({ max: 2 }),
    tools: fc.nat({ max: 3 }),
    /** A response has one time, whoever tells of it, but for clocks. */
    late: fc.nat({ max: 90_000 }),
  })
  .map(({ id, tools, late, ...counts }) => {
    const daysAgo = id === 0 ? 3 : 0;
    const occurredAt = START - daysAgo * 86_400_000 + id * 1_000_000 + late;
    return aResponse(`msg_${id}`, {
      ...counts,
      occurredAt,
      toolCalls: callsOf("Bash", "Read", "Bash").slice(0, tools),
    });
  });
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("meter" as const),
      by: fc.constantFrom(...METERS),
      thread: fc.constantFrom("main", "sub", "fork"),
      responses: fc.array(response, { maxLength: 4 }),
      renewal: fc.constantFrom("renew" as const, "keep" as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(1_000, 3_600_000) }) },
  { weight: 1, arbitrary: fc.constant({ do: "fold" as const }) },
);

type Model = { rank: number; input: number; output: number; searches: number; tools: number; cost: number };

/** What the ledger should come to, response by response. */
function count(model: Map<string, Model>, found: MeteredResponse, rank: number): void {
  const known = model.get(found.responseId);
  if (known && known.rank > rank) return;
  const own = found.inputTokens * PRICE.input + found.outputTokens * PRICE.output + found.webSearches * PRICE.search;
  const searches = Math.max(known?.searches ?? 0, found.webSearches);
  // A better source's cost replaces, of one source the larger counts; searches that were booked did run.
  const cost = Math.max(known?.rank === rank ? known.cost : 0, own, searches * PRICE.search);
  model.set(found.responseId, {
    rank,
    input: Math.max(known?.input ?? 0, found.inputTokens),
    output: Math.max(known?.output ?? 0, found.outputTokens),
    searches,
    tools: Math.max(known?.tools ?? 0, found.toolCalls.length),
    cost,
  });
}

const largestOfEach = (responses: readonly MeteredResponse[]): MeteredResponse[] => {
  const sum = (each: MeteredResponse) => each.inputTokens + each.outputTokens;
  const ordered = responses.map((each, i) => ({ each, i })).sort((a, b) => sum(b.each) - sum(a.each) || a.i - b.i);
  return [...new Map(ordered.reverse().map(({ each }) => [each.responseId, each])).values()];
};

describe.each(engines())("$name", (engine) => {
  beforeAll(async () => (await engine.make()).close());
  afterAll(() => engine.clear());

  test(
    "totals are the best sources' accounts, whatever came in which order, in which thread and how often",
    async () => {
      const property = fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 25 }), async (steps) => {
        const ledger = await engine.make();
        const world = await worldOf({ policy: POLICY, ledger, start: START + 6_000_000 });
        const model = new Map<string, Model>();
        try {
          for (const each of steps) {
            if (each.do === "wait") world.pass(each.ms);
            else if (each.do === "fold") await ledger.write(() => foldCosts("default"));
            else {
              // A self-report knows of no searches that the provider ran.
              const known = each.responses.map((one) =>
                each.by === "self_reported" ? { ...one, webSearches: 0 } : one,
              );
              const threads = threadsOf({ main: [], [each.thread]: known }, { sub: "main" });
              await meter(world, [], { threads, asking: each.thread, meter: each.by, renewal: each.renewal });
              for (const one of largestOfEach(known)) count(model, one, METERS.indexOf(each.by));
            }
          }
          const all = [...model.values()];
          const sum = (of: (each: Model) => number) => BigInt(all.reduce((total, each) => total + of(each), 0));
          const totals = await ledger.read(() => costTotals(allCosts("default", "2000-01-01", "9999-12-31")));
          expect(totals).toMatchObject({
            cost_nano_usd: sum(({ cost }) => cost),
            metered_nano_usd: sum(({ cost, rank }) => (rank > 0 ? cost : 0)),
            input_tokens: sum(({ input }) => input),
            output_tokens: sum(({ output }) => output),
            tool_calls: sum(({ tools, searches }) => tools + searches),
          });
          const { by_tool } = await world.costs();
          expect((by_tool as Record<string, number>).web_search ?? 0).toBeCloseTo(
            Number(sum(({ searches }) => searches)) / 100,
            9,
          );
          expect((await ledger.read(verifyLedger)).differences).toEqual([]);
        } finally {
          await ledger.close();
        }
      });
      await fc.assert(property, { numRuns: (RUNS[engine.name] ?? 1) * TIMES });
    },
    120_000 * TIMES,
  );
});
