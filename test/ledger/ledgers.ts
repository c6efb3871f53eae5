// The three ledgers and the windows' sums built a second time, in plain TypeScript, from the naive model of what was done.
import { expect } from "vitest";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { raw } from "./engines.ts";
import type { Model, ModelSession } from "./model.ts";

type Execution = ReturnType<typeof executionOf>;

/** Every row of every ledger must be what the model comes to, to the millionth. */
export async function compareLedgers(ledger: Ledger, model: Model): Promise<void> {
  const executions = model.sessions
    .filter((session) => session.status === "ended")
    .map((session) => executionOf(model, session));
  const stored = async (query: string) => [...(await ledger.read(() => raw(query)))];
  const log = await stored(`select session_id, agent_id, role, user_id, outcome, ended_at, latency_ms, cost_nano_usd,
    input_tokens + cache_read_tokens + cache_write_tokens as prompt, output_tokens, tool_calls, charges, errors, score_ppm
    from execution_log`);
  expect(byText(log)).toEqual(byText(executions));
  const sums = `executions, successes, success_rate_ppm, latency_mean_ms, latency_p50_ms, latency_p95_ms,
    input_tokens + cache_read_tokens + cache_write_tokens as prompt, output_tokens, tool_calls, errors, cost_nano_usd,
    fitness_ppm`;
  const perRole = grouped(executions, ({ role }) => ({ role: role ?? "" }));
  expect(byText(await stored(`select role, ${sums} from role_ledger`))).toEqual(byText(perRole));
  const perUser = grouped(executions, ({ role, user_id }) => ({ user_id: user_id ?? "", role: role ?? "" }));
  expect(byText(await stored(`select user_id, role, ${sums} from user_role_ledger`))).toEqual(byText(perUser));
  const windows = await stored(
    "select window_kind, window_key, agent_id, executions, successes, latency_ms, score_ppm from executions_by_window",
  );
  expect(byText(windows)).toEqual(byText(inWindows(executions)));
}

function executionOf(model: Model, session: ModelSession) {
  const own = model.charges.filter((charge) => charge.session === session);
  const sum = (of: (charge: (typeof own)[number]) => bigint) => own.reduce((all, charge) => all + of(charge), 0n);
  const cost = sum((charge) => charge.cost);
  const latency = BigInt((session.endedAt ?? 0) - session.openedAt);
  const costLimit = BigInt(Math.round(Number(session.budget.max_cost_cents) * 1e7));
  const left = (part: bigint, used: bigint, limit: bigint) =>
    used === 0n ? part : used >= limit ? 0n : part - (part * used) / limit;
  return {
    session_id: session.id,
    agent_id: session.agent,
    role: session.role,
    user_id: session.user,
    outcome: session.outcome,
    ended_at: BigInt(session.endedAt ?? 0),
    latency_ms: latency,
    cost_nano_usd: cost,
    prompt: sum((charge) => charge.prompt),
    output_tokens: sum((charge) => charge.completion),
    tool_calls: sum((charge) => charge.calls),
    charges: BigInt(own.length),
    errors: sum((charge) => (charge.isError ? 1n : 0n)),
    score_ppm:
      session.outcome === "success"
        ? 600_000n +
          left(250_000n, cost, costLimit) +
          left(150_000n, latency, BigInt(session.expiresAt - session.openedAt))
        : 0n,
  };
}

function grouped<Key extends object>(executions: readonly Execution[], keyOf: (of: Execution) => Key): object[] {
  const groups = Map.groupBy(executions, (each) => JSON.stringify(keyOf(each)));
  return [...groups].map(([key, group]) => {
    const sum = (of: (each: Execution) => bigint) => group.reduce((all, each) => all + of(each), 0n);
    const count = BigInt(group.length);
    const latencies = group.map((each) => each.latency_ms).sort((a, b) => Number(a - b));
    const nearestRank = (percent: number) => latencies[Math.ceil((percent * group.length) / 100) - 1];
    const successes = sum((each) => (each.outcome === "success" ? 1n : 0n));
    return {
      ...(JSON.parse(key) as Key),
      executions: count,
      successes,
      success_rate_ppm: (successes * 1_000_000n) / count,
      latency_mean_ms: sum((each) => each.latency_ms) / count,
      latency_p50_ms: nearestRank(50),
      latency_p95_ms: nearestRank(95),
      prompt: sum((each) => each.prompt),
      output_tokens: sum((each) => each.output_tokens),
      tool_calls: sum((each) => each.tool_calls),
      errors: sum((each) => each.errors),
      cost_nano_usd: sum((each) => each.cost_nano_usd),
      fitness_ppm: (sum((each) => each.score_ppm) + 1_000_000n) / (count + 2n),
    };
  });
}

/** The policy's zone is UTC, so a window is read off the instant. */
function inWindows(executions: readonly Execution[]): object[] {
  const lines = executions.flatMap((each) => {
    const ended = new Date(Number(each.ended_at));
    const monday = new Date(Number(each.ended_at) - ((ended.getUTCDay() + 6) % 7) * 86_400_000);
    return [
      { window_kind: "day", window_key: ended.toISOString().slice(0, 10), each },
      { window_kind: "week", window_key: monday.toISOString().slice(0, 10), each },
      { window_kind: "month", window_key: ended.toISOString().slice(0, 7), each },
    ];
  });
  const groups = Map.groupBy(lines, (line) => `${line.window_kind} ${line.window_key} ${line.each.agent_id}`);
  return [...groups.values()].map((group) => {
    const { window_kind, window_key, each: first } = group[0] as (typeof group)[number];
    const sum = (of: (each: Execution) => bigint) => group.reduce((all, { each }) => all + of(each), 0n);
    return {
      window_kind,
      window_key,
      agent_id: first.agent_id,
      executions: BigInt(group.length),
      successes: sum((each) => (each.outcome === "success" ? 1n : 0n)),
      latency_ms: sum((each) => each.latency_ms),
      score_ppm: sum((each) => each.score_ppm),
    };
  });
}

/** In one order, with the numbers as texts, whatever order an engine answers in. */
const byText = (rows: readonly object[]): string[] =>
  rows
    .map((row) =>
      JSON.stringify(
        Object.entries(row)
          .map(([name, value]) => [name, typeof value === "bigint" ? String(value) : value])
          .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
      ),
    )
    .sort();
