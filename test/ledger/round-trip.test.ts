// Random charges, exported and imported into an empty ledger: the same costs whatever they are broken down by, once.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Meter } from "../../src/core/metered.ts";
import { NO_USAGE } from "../../src/core/usage.ts";
import { type Format, headOf, lineOf, recordsIn } from "../../src/faces/charge-file.ts";
import { recordCharge } from "../../src/ledger/charges.ts";
import { DIMENSIONS } from "../../src/ledger/cost-shape.ts";
import { everything as allCosts, costsBy, costTotals } from "../../src/ledger/costs.ts";
import { foldCosts } from "../../src/ledger/fold.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { findSession } from "../../src/ledger/sessions.ts";
import { openSqlite } from "../../src/ledger/sqlite.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import type { ChargeRecord } from "../../src/operations/charge-record.ts";
import { aResponse, callsOf, meter, threadsOf } from "../operations/metering.ts";
import { OPERATOR, WIDE, type World, worldOf } from "../world.ts";
import { engines, everything, raw } from "./engines.ts";
import { aCharge, WORKSPACE } from "./fixtures.ts";

const TIMES = Number(process.env.ASTRA_PROPERTY_TIMES ?? 1);
const RUNS: Readonly<Record<string, number>> = {
  "SQLite in memory": 60,
  "SQLite in a file": 10,
  "Postgres (PGlite)": 6,
};
const POLICY = {
  workspace: { id: WORKSPACE, timezone: "Asia/Kolkata" },
  hardCaps: WIDE,
  teams: [{ id: "blue" }],
  agents: [{ id: "ada", team: "blue" }],
  tools: { web: { estimatedCostUsd: 0.002 } },
  onHoldExpiry: "charge",
};

const index = fc.nat({ max: 20 });
const open = fc.record({
  do: fc.constant("open" as const),
  // Ids that mean something to a spreadsheet, and one that is a number.
  agent: fc.constantFrom("ada", "-bob", "@cy", "+1-2", "594"),
  parent: fc.option(index, { freq: 2 }),
  user: fc.option(fc.constantFrom("u1", "+49"), { freq: 2 }),
  task: fc.option(fc.constantFrom("1", "2"), { freq: 2 }),
  role: fc.option(fc.constantFrom("writer", "researcher"), { freq: 2 }),
});
const report = fc.record({
  do: fc.constant("report" as const),
  session: index,
  tokens: fc.tuple(fc.nat({ max: 900 }), fc.nat({ max: 300 }), fc.nat({ max: 100 })),
  nano: fc.option(fc.bigInt({ min: 0n, max: 9_000_000_000_000n }), { freq: 3 }),
  model: fc.option(fc.constantFrom("known-1", "known-2", "strange"), { freq: 3 }),
  tool: fc.option(fc.constantFrom("web", "shell"), { freq: 2 }),
  tools: fc.uniqueArray(fc.record({ tool: fc.constantFrom("web", "shell", "@x"), count: fc.nat({ max: 3 }) }), {
    selector: (each) => each.tool,
    maxLength: 3,
  }),
  error: fc.option(fc.constantFrom("", "=cmd()", 'a "b",\n;c', "'quoted"), { freq: 2 }),
  hold: fc.option(index, { freq: 3 }),
});
const metering = fc.record({
  do: fc.constant("meter" as const),
  by: fc.constantFrom("telemetry" as const, "transcript" as const, "gateway" as const),
  thread: fc.constantFrom("main", "sub"),
  response: fc.nat({ max: 6 }),
  outputTokens: fc.nat({ max: 900 }),
  webSearches: fc.nat({ max: 1 }),
  speed: fc.constantFrom("standard" as const, "fast" as const),
  ageMs: fc.constantFrom(0, 90_000, 864_000_000),
});
const step = fc.oneof(
  { weight: 3, arbitrary: open },
  { weight: 8, arbitrary: report },
  { weight: 4, arbitrary: metering },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("hold" as const), session: index, cents: fc.nat({ max: 60 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("correct" as const),
      charge: index,
      nano: fc.bigInt({ min: 0n, max: 10_000_000n }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("end" as const), session: index }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(1, 90_000, 3_600_000, 864_000_000) }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Plays steps on a world; subjects are numbers, taken modulo what there is by then. */
async function play(world: World, steps: readonly Step[]): Promise<void> {
  const sessions: string[] = [];
  const holds: { session: string; id: string }[] = [];
  const pick = <T>(list: readonly T[], at: number | null): T | undefined =>
    at === null || list.length === 0 ? undefined : list[at % list.length];
  for (const each of steps) {
    if (each.do === "wait") world.pass(each.ms);
    else if (each.do === "open") {
      const { agent: agent_id, user: user_id, task: task_id, role } = each;
      const parent_session_id = pick(sessions, each.parent);
      const given = Object.entries({ agent_id, user_id, task_id, role, parent_session_id });
      const args = Object.fromEntries(given.filter(([, value]) => value !== null && value !== undefined));
      const { session_id } = await world.open(args);
      if (session_id !== null) sessions.push(session_id);
    } else if (each.do === "meter") await meterOf(world, each);
    else if (each.do === "correct") await correct(world, each.charge, each.nano);
    else {
      const session_id = pick(sessions, each.session);
      if (session_id === undefined) continue;
      if (each.do === "end") await world.end({ session_id, status: "error" });
      else if (each.do === "hold") {
        const asked = { estimate: { cost_usd: each.cents / 100, input_tokens: 5 }, hold: true, hold_ttl_ms: 60_000 };
        const { hold_id } = await world.check({ session_id, ...asked });
        if (hold_id !== null) holds.push({ session: session_id, id: hold_id });
      } else
        await reportOf(
          world,
          session_id,
          each,
          pick(
            holds.filter((hold) => hold.session === session_id),
            each.hold,
          )?.id,
        );
    }
  }
}

async function meterOf(world: World, each: Extract<Step, { do: "meter" }>): Promise<void> {
  const { thread, by, response, ageMs, ...facts } = each;
  const found = aResponse(`msg_${response}`, {
    outputTokens: facts.outputTokens,
    webSearches: facts.webSearches,
    speed: facts.speed,
    occurredAt: world.context.now() - ageMs,
    toolCalls: callsOf("Bash", "@x").slice(0, response % 3),
  });
  const threads = threadsOf({ main: [], [thread]: [found] }, { sub: "main" });
  await meter(world, [], { threads, asking: thread, meter: by, renewal: "renew" });
}

async function reportOf(world: World, session_id: string, each: Extract<Step, { do: "report" }>, hold_id?: string) {
  const [input_tokens, output_tokens, cache_write_tokens] = each.tokens;
  await world.report({
    session_id,
    input_tokens,
    output_tokens,
    cache_write_tokens,
    cache_write_1h_tokens: cache_write_tokens >> 1,
    ...(each.nano === null ? {} : { cost_usd: Number(each.nano) / 1e9 }),
    ...(each.model === null ? {} : { model: each.model }),
    ...(each.tool === null ? {} : { tool: each.tool }),
    ...(each.tools.length > 0 ? { tool_calls: each.tools } : {}),
    ...(each.error === null ? {} : { error: each.error }),
    ...(hold_id === undefined ? {} : { hold_id }),
  });
}

type Charged = { session_id: string; no: bigint; hour: string; occurred_at: bigint; was: string; cost: bigint };

/** A correction as `charge correct` books one: of the same hour and kind, with no usage of its own. */
async function correct(world: World, at: number, nano: bigint): Promise<void> {
  await world.ledger.write(function* () {
    const charges = yield* raw<Record<string, never>>(
      `select * from charges where source in ('self_reported', 'telemetry', 'transcript', 'gateway') order by seq`,
    );
    const charge = charges[at % Math.max(1, charges.length)] as never as (Charged & Record<string, string>) | undefined;
    if (!charge) return;
    const session = yield* findSession(WORKSPACE, charge.session_id);
    if (!session) return;
    const before = yield* raw<{ cost_source: string }>(
      `select cost_source from charges where session_id = '${charge.session_id}' and corrects_no = ${charge.no} order by no desc`,
    );
    yield* recordCharge(
      aCharge(session, {
        model: charge.model ?? null,
        provider: charge.provider ?? null,
        tool: charge.tool ?? null,
        occurredAt: Number(charge.occurred_at),
        recordedAt: world.context.now(),
        hour: charge.hour,
        usage: NO_USAGE,
        cost: nano,
        priced: null,
        priceList: null,
        costSource: "corrected",
        source: "correction",
        meter: (charge.metered_by ?? "self_reported") as Meter,
        corrects: { no: charge.no, was: (before[0]?.cost_source ?? charge.cost_source) as never },
      }),
    );
  });
}

/** All records, page by page, as a file of the format. */
async function exported(
  world: World,
  format: Format,
  limit: number,
): Promise<{ text: string; records: ChargeRecord[] }> {
  const records: ChargeRecord[] = [];
  let cursor: string | null = "0";
  while (cursor !== null) {
    const page = await world.call("export_charges", { cursor, limit }, OPERATOR);
    records.push(...(page.charges as ChargeRecord[]));
    cursor = page.next_cursor as string | null;
  }
  return { records, text: headOf(format) + records.map((record) => lineOf(record, format)).join("") };
}

async function imported(
  world: World,
  format: Format,
  text: string,
  size: number,
): Promise<{ imported: number; known: number }> {
  const found = { imported: 0, known: 0 };
  const records = [];
  for await (const { record } of recordsIn(
    (async function* () {
      yield text;
    })(),
    format,
  ))
    records.push(record);
  for (let at = 0; at < records.length; at += size) {
    const answer = await world.call("import_charges", { charges: records.slice(at, at + size) }, OPERATOR);
    found.imported += answer.imported as number;
    found.known += answer.known as number;
  }
  return found;
}

const ALL = allCosts(WORKSPACE, "2000-01-01", "9999-12-31");

async function costsOf(ledger: Ledger): Promise<unknown> {
  return await ledger.read(function* () {
    const by: Record<string, unknown> = { totals: yield* costTotals(ALL) };
    for (const dimension of DIMENSIONS) by[dimension] = yield* costsBy(dimension, ALL);
    by.balances = yield* raw(
      `select scope, scope_id, window_kind, window_key, cost_spent, prompt_spent, completion_spent, tool_calls_spent from balances
       where cost_spent + prompt_spent + completion_spent + tool_calls_spent > 0 order by 1, 2, 3, 4`,
    );
    by.sessions = yield* raw(
      `select id, path, charges, errors, input_tokens, output_tokens, cost_nano_usd from sessions where charges > 0 order by id`,
    );
    return by;
  });
}

const asImported = (record: ChargeRecord): ChargeRecord => ({
  ...record,
  source: record.source === "correction" || record.source === "reversal" ? record.source : "imported",
});
/** What a session was when it was exported is not what it is where it was imported: there it has ended. */
const withoutState = ({ session_status: _, session_ended_at: __, ancestors, ...rest }: ChargeRecord) => ({
  ...rest,
  ancestors: ancestors.map(({ status: ___, ended_at: ____, ...ancestor }) => ancestor),
});

describe.each(engines())("$name", (engine) => {
  beforeAll(async () => (await engine.make()).close());
  afterAll(() => engine.clear());

  test(
    "a file imported into an empty ledger makes the same costs, and imported again or where it came from changes nothing",
    async () => {
      const property = fc.asyncProperty(
        fc.array(step, { minLength: 5, maxLength: 40, size: "max" }),
        fc.constantFrom<Format>("csv", "jsonl"),
        fc.integer({ min: 1, max: 9 }),
        async (steps, format, size) => {
          const from = await worldOf({ policy: POLICY });
          const ledger = await engine.make();
          try {
            await play(from, [
              { do: "open", agent: "ada", parent: null, user: null, task: null, role: null },
              ...steps,
            ]);
            const { text, records } = await exported(from, format, size);
            const to = await worldOf({ policy: POLICY, ledger, start: from.context.now() });
            expect(await imported(to, format, text, size)).toEqual({ imported: records.length, known: 0 });
            expect(await costsOf(ledger)).toEqual(await costsOf(from.ledger));
            expect((await ledger.read(verifyLedger)).differences).toEqual([]);
            expect((await exported(to, format, 500)).records.map(withoutState)).toEqual(
              records.map(asImported).map(withoutState),
            );

            for (const world of [to, from]) {
              const before = await world.ledger.read(everything);
              expect(await imported(world, format, text, 500)).toEqual({ imported: 0, known: records.length });
              expect(await world.ledger.read(everything)).toEqual(before);
            }
            await ledger.write(() => foldCosts(WORKSPACE));
            expect(await costsOf(ledger)).toEqual(await costsOf(from.ledger));
            expect((await ledger.read(verifyLedger)).differences).toEqual([]);
          } finally {
            await ledger.close();
            await from.ledger.close();
          }
        },
      );
      await fc.assert(property, { numRuns: (RUNS[engine.name] ?? 1) * TIMES });
    },
    120_000 * TIMES,
  );
});

test("the random charges have all that a charge can be", async () => {
  const world = await worldOf({ policy: POLICY, ledger: await openSqlite(":memory:") });
  for (const steps of fc.sample(fc.array(step, { minLength: 40, maxLength: 40, size: "max" }), {
    numRuns: 60,
    seed: 7,
  }))
    await play(world, steps);
  const { records } = await exported(world, "jsonl", 500);
  expect(new Set(records.map((record) => record.source))).toEqual(
    new Set(["self_reported", "telemetry", "transcript", "gateway", "unconfirmed", "reversal", "correction"]),
  );
  expect(records.some((record) => record.ancestors.length > 1)).toBe(true);
  expect(records.some((record) => record.tools.length > 1)).toBe(true);
  expect(records.some((record) => record.late)).toBe(true);
});
