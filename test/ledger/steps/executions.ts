// What every engine must do with executions: count each once, follow late charges, and rank, list and sum them alike.
import { expect, test } from "vitest";
import { scoreOf } from "../../../src/core/execution.ts";
import { recordCharge } from "../../../src/ledger/charges.ts";
import {
  agentHours,
  executionsIn,
  executionsOf,
  hasSessions,
  roleLedger,
  userRoleLedger,
} from "../../../src/ledger/execution-lists.ts";
import { type Ending, endOpenSession } from "../../../src/ledger/executions.ts";
import type { Ledger } from "../../../src/ledger/ledger.ts";
import type { Session } from "../../../src/ledger/session-row.ts";
import { findSession, overdueSessions } from "../../../src/ledger/sessions.ts";
import { verifyLedger } from "../../../src/ledger/verify.ts";
import { START } from "../../world.ts";
import { raw } from "../engines.ts";
import { aCharge, aHold, anEnding, aSession, HUGE, held, seeded, WORKSPACE } from "../fixtures.ts";

const ANY = {
  workspaceId: WORKSPACE,
  agentId: null,
  role: null,
  userId: null,
  outcome: null,
  fromMs: 0,
  toMs: Number.MAX_SAFE_INTEGER,
};

/** A session of a fifth of its cost limit ($5) and of its time (5 minutes), unless told otherwise. */
const execution = (ledger: Ledger, session: Session, ending: Partial<Ending> = {}, cost = 1_000_000_000n) =>
  ledger.write(function* () {
    yield* seeded(session);
    yield* recordCharge(aCharge(session, { cost }));
    yield* endOpenSession(session, anEnding({ atMs: session.openedAt + 60_000, ...ending }));
  });
/** 600,000 and four fifths of 250,000 and 150,000. */
const FIFTH = 920_000n;

export function executionSteps(ledger: () => Ledger): void {
  const clean = async () => expect((await ledger().read(verifyLedger)).differences).toEqual([]);
  const windows = (kind: "day" | "week" | "month", key: string) =>
    ledger().read(() => executionsIn(WORKSPACE, kind, key));
  const log = (filter: Partial<typeof ANY> | object = {}, limit = 100, after?: { at: number; id: string }) =>
    ledger().read(() => executionsOf({ ...ANY, ...filter }, limit, after));

  test("an execution counts once, in the day, the week and the month of its end", async () => {
    const session = aSession();
    await execution(ledger(), session, { atMs: START + 60_000 });
    const again = await ledger().write(() => endOpenSession(session, anEnding({ status: "error" })));
    expect(again).toBe("was_not_open");
    const sums = { agent_id: "ada", executions: 1n, successes: 1n, latency_ms: 60_000n, score_ppm: FIFTH };
    for (const [kind, key] of [
      ["day", "2026-11-22"],
      ["week", "2026-11-16"],
      ["month", "2026-11"],
    ] as const)
      expect(await windows(kind, key)).toEqual([expect.objectContaining(sums)]);
    expect(await windows("day", "2026-11-23")).toEqual([]);
    expect(await ledger().read(() => executionsIn("another", "day", "2026-11-22"))).toEqual([]);
    await clean();
  });

  test("the log tells all of it, and nothing of an open session", async () => {
    const session = aSession({
      role: "writer",
      teamId: "blue",
      taskId: "594",
      userId: "u1",
      model: "m",
      provider: "p",
    });
    await execution(ledger(), session, { outcome: "over_budget", error: "no more" });
    await ledger().write(() => seeded(aSession()));
    expect(await log()).toEqual([
      {
        workspace_id: WORKSPACE,
        session_id: session.id,
        agent_id: "ada",
        role: "writer",
        team_id: "blue",
        task_id: "594",
        user_id: "u1",
        model: "m",
        provider: "p",
        started_at: BigInt(START),
        ended_at: BigInt(START + 60_000),
        ended_hour: "2026-11-22T12",
        latency_ms: 60_000n,
        time_limit_ms: 300_000n,
        input_tokens: 100n,
        output_tokens: 20n,
        cache_read_tokens: 0n,
        cache_write_tokens: 0n,
        tool_calls: 0n,
        charges: 1n,
        errors: 0n,
        cost_nano_usd: 1_000_000_000n,
        cost_limit_nano_usd: 5_000_000_000n,
        outcome: "over_budget",
        error: "no more",
        score_ppm: 0n,
      },
    ]);
  });

  test("a late charge lowers the score of a success, and its reversal raises it again", async () => {
    const session = aSession();
    await execution(ledger(), session);
    const ended = await ledger().read(() => findSession(WORKSPACE, session.id));
    if (!ended) throw new TypeError("no session");
    const late = aCharge(ended, { cost: 1_000_000_000n, late: "late", source: "unconfirmed" });
    await ledger().write(() => recordCharge(late));
    expect((await windows("month", "2026-11"))[0]?.score_ppm).toBe(FIFTH - 50_000n);
    await clean();
    const back = { ...late, cost: -late.cost, source: "reversal" as const };
    await ledger().write(function* () {
      // Two in one transaction, from the same reading of the session.
      yield* recordCharge(back);
      yield* recordCharge(aCharge(ended, { cost: 500_000_000n, late: "late" }));
    });
    expect((await windows("day", "2026-11-22"))[0]?.score_ppm).toBe(FIFTH - 25_000n);
    expect((await log())[0]?.score_ppm).toBe(FIFTH - 25_000n);
    await clean();
  });

  test("scores are the same in SQL and here, at every edge", async () => {
    const limits = [0n, 1n, 7n, 5_000_000_000n, 10n ** 13n, 10n ** 15n];
    const times = [0, 1, 300_000, 2_678_400_000];
    for (const maxCostCents of limits) {
      for (const duration of times) {
        const budget = { ...aSession().budget, maxCostCents };
        for (const part of [0n, 3n, 7n, 8n]) {
          const session = aSession({ budget, expiresAt: START + duration });
          const atMs = START + Math.floor((duration * Number(part)) / 7);
          await execution(ledger(), session, { atMs }, (maxCostCents * part) / 7n);
        }
      }
    }
    const rows = await log({}, 500);
    expect(rows).toHaveLength(limits.length * times.length * 4);
    for (const row of rows) {
      const { latency_ms: latencyMs, time_limit_ms: timeLimitMs, outcome } = row;
      const { cost_nano_usd: cost, cost_limit_nano_usd: costLimit } = row;
      expect(row.score_ppm).toBe(scoreOf({ outcome, cost, costLimit, latencyMs, timeLimitMs }));
    }
    await clean();
  });

  test("sums go beyond what a double can hold", async () => {
    for (const cost of [HUGE, HUGE]) await execution(ledger(), aSession(), {}, cost);
    const [row] = await ledger().read(() => roleLedger({ workspaceId: WORKSPACE, role: null, limit: 9 }, null));
    expect(row?.cost_nano_usd).toBe(HUGE * 2n);
  });

  test("a clock that was set back makes no negative latency", async () => {
    await execution(ledger(), aSession(), { atMs: START - 1 });
    expect((await log())[0]?.latency_ms).toBe(0n);
    expect((await windows("day", "2026-11-22"))[0]?.latency_ms).toBe(0n);
    await clean();
  });

  test("percentiles are the latencies of executions: the nearest rank", async () => {
    for (let i = 1; i <= 20; i++) await execution(ledger(), aSession({ role: "r" }), { atMs: START + i * 1_000 });
    for (let i = 1; i <= 21; i++) await execution(ledger(), aSession({ role: "s" }), { atMs: START + i * 1_000 });
    await execution(ledger(), aSession({ role: "t" }), { atMs: START + 5 });
    const rows = await ledger().read(() => roleLedger({ workspaceId: WORKSPACE, role: null, limit: 9 }, null));
    expect(rows.map((row) => [row.role, row.latency_mean_ms, row.latency_p50_ms, row.latency_p95_ms])).toEqual([
      ["r", 10_500n, 10_000n, 19_000n],
      ["s", 11_000n, 11_000n, 20_000n],
      ["t", 5n, 5n, 5n],
    ]);
  });

  test("the ledgers tell roles and users apart, and what has none", async () => {
    await execution(ledger(), aSession({ role: "writer", userId: "u1" }));
    await execution(ledger(), aSession({ role: "writer", userId: "u2" }), { status: "error" });
    await execution(ledger(), aSession({ role: "writer" }));
    await execution(ledger(), aSession({ userId: "u1" }), { outcome: "expired", status: "cancelled" });
    await execution(ledger(), aSession({ role: "writer", userId: "u1", workspaceId: "another" }));
    const page = { workspaceId: WORKSPACE, role: null, limit: 9 };
    const roles = await ledger().read(() => roleLedger(page, null));
    expect(
      roles.map((row) => [row.role, row.executions, row.successes, row.success_rate_ppm, row.fitness_ppm]),
    ).toEqual([
      ["", 1n, 0n, 0n, 333_333n],
      ["writer", 3n, 2n, 666_666n, 568_000n],
    ]);
    const users = await ledger().read(() => userRoleLedger({ ...page, userId: null }, null));
    expect(users.map((row) => [row.user_id, row.role, row.executions])).toEqual([
      ["", "writer", 1n],
      ["u1", "", 1n],
      ["u1", "writer", 1n],
      ["u2", "writer", 1n],
    ]);
    const rest = await ledger().read(() => userRoleLedger({ ...page, userId: null }, { userId: "u1", role: "" }));
    expect(rest.map((row) => [row.user_id, row.role])).toEqual([
      ["u1", "writer"],
      ["u2", "writer"],
    ]);
    const one = await ledger().read(() => userRoleLedger({ ...page, userId: "u1", role: "writer" }, null));
    expect(one).toHaveLength(1);
    expect((await ledger().read(() => roleLedger({ ...page, role: "writer" }, null))).map((row) => row.role)).toEqual([
      "writer",
    ]);
    expect(await ledger().read(() => roleLedger(page, "writer"))).toEqual([]);
  });

  test("the log is read newest end first, page by page, and narrowed by each of its filters", async () => {
    const minutes = [3, 1, 2, 2];
    const sessions = minutes.map((_, i) =>
      aSession({ agentId: i === 0 ? "bob" : "ada", role: i === 1 ? "writer" : null, userId: i === 2 ? "u1" : null }),
    );
    for (const [i, session] of sessions.entries())
      await execution(ledger(), session, {
        atMs: START + (minutes[i] ?? 0) * 60_000,
        outcome: i === 3 ? "over_budget" : "success",
      });
    const ids = (rows: readonly { session_id: string }[]) =>
      rows.map((row) => sessions.findIndex(({ id }) => id === row.session_id));
    expect(ids(await log())).toEqual([0, 3, 2, 1]);
    const first = await log({}, 2);
    expect(ids(first)).toEqual([0, 3]);
    const last = first.at(-1);
    expect(ids(await log({}, 2, { at: Number(last?.ended_at), id: last?.session_id ?? "" }))).toEqual([2, 1]);
    expect(ids(await log({ agentId: "ada" }))).toEqual([3, 2, 1]);
    expect(ids(await log({ role: "writer" }))).toEqual([1]);
    expect(ids(await log({ userId: "u1" }))).toEqual([2]);
    expect(ids(await log({ outcome: "over_budget" }))).toEqual([3]);
    expect(ids(await log({ fromMs: START + 120_000, toMs: START + 180_000 }))).toEqual([3, 2]);
    expect(await log({ workspaceId: "another" })).toEqual([]);
  });

  test("an agent's hours have what was used in each and what ended in it", async () => {
    const early = aSession();
    await execution(ledger(), early, { atMs: START + 3_600_000 });
    await execution(ledger(), aSession({ agentId: "bob" }));
    await execution(ledger(), aSession(), { status: "error" });
    const hours = await ledger().read(() =>
      agentHours(WORKSPACE, "ada", { key: "2026-11-22T00", ms: START - 1 }, { key: "2026-11-22T23", ms: START + 4e6 }),
    );
    const used = { cost: 2_000_000_000n, promptTokens: 200n, completionTokens: 40n, toolCalls: 0n };
    expect([...hours].sort()).toEqual([
      ["2026-11-22T12", { ...used, executions: 1n, successes: 0n }],
      [
        "2026-11-22T13",
        { cost: 0n, promptTokens: 0n, completionTokens: 0n, toolCalls: 0n, executions: 1n, successes: 1n },
      ],
    ]);
    expect(await ledger().read(() => hasSessions(WORKSPACE, "bob"))).toBe(true);
    expect(await ledger().read(() => hasSessions(WORKSPACE, "eve"))).toBe(false);
  });

  test("what is overdue is found, the longest first, but for what still holds something", async () => {
    const [later, sooner, holding, ended, running] = [2_000, 1_000, 500, 100, 9_000].map((ms) =>
      aSession({ expiresAt: START + ms }),
    );
    if (!later || !sooner || !holding || !ended || !running) throw new TypeError();
    await ledger().write(function* () {
      for (const session of [later, sooner, holding, ended, running]) yield* seeded(session);
      yield* held(holding, aHold(holding));
      yield* endOpenSession(ended, anEnding());
    });
    const overdue = async (before: number, limit: number) =>
      (await ledger().read(() => overdueSessions(WORKSPACE, before, limit))).map(({ id }) => id);
    expect(await overdue(START + 2_000, 9)).toEqual([sooner.id, later.id]);
    expect(await overdue(START + 1_999, 9)).toEqual([sooner.id]);
    expect(await overdue(START + 2_000, 1)).toEqual([sooner.id]);
    await ledger().write(() => raw("update holds set state = 'expired'"));
    expect(await overdue(START + 2_000, 1)).toEqual([holding.id]);
  });
}
