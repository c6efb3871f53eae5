// Fills a ledger with charges in bulk, of the shape of a year of many agents' work, and with everything derived from them.
import Database from "better-sqlite3";
import { newId } from "../src/context.ts";
import { balanceKeys } from "../src/core/balance-key.ts";
import { BOOK_SIZE } from "../src/ledger/books.ts";
import { foldCosts } from "../src/ledger/fold.ts";
import { openSqlite } from "../src/ledger/sqlite.ts";
import { randomFrom } from "../test/seeded-random.ts";

export const WORKSPACE = "example";
const DAY_MS = 86_400_000;

/** How much work there was; the same over any number of charges, which only makes each agent busier. */
export const YEAR = {
  days: 365,
  agents: 200,
  teams: 10,
  users: 500,
  providers: 6,
  models: 14,
  tools: 30,
  tasksADay: 50,
};
/** Charges of one session: as many as there are for all tasks of every day to be worked on, at most these. */
const MOST_PER_SESSION = 50;
const CHUNK = 100_000;

type Progress = (done: number, all: number) => void;

/** Charges a ledger through its operations would hold as well: verify_ledger finds nothing. */
export async function load(file: string, charges: number, nowMs: number, progress: Progress = () => {}): Promise<void> {
  const ledger = await openSqlite(file);
  const db = new Database(file);
  for (const pragma of ["synchronous = OFF", "foreign_keys = OFF", "cache_size = -200000"]) db.pragma(pragma);
  const writer = writerOf(db);
  const random = randomFrom(1);
  const sessions = Math.ceil(charges / Math.min(MOST_PER_SESSION, charges / (YEAR.days * YEAR.tasksADay)));
  let written = 0;
  for (let i = 0; i < sessions; ) {
    db.transaction(() => {
      for (const until = written + CHUNK; i < sessions && written < until; i++) {
        const startedAt = nowMs - YEAR.days * DAY_MS + Math.floor((i / sessions) * (YEAR.days * DAY_MS - 3_600_000));
        writer.session(random, startedAt, Math.round((charges * (i + 1)) / sessions) - written);
        written = Math.round((charges * (i + 1)) / sessions);
      }
      writer.flushBalances();
    }).immediate();
    await ledger.write(() => foldCosts(WORKSPACE));
    progress(written, charges);
  }
  insertExecutions(db);
  db.pragma("wal_checkpoint(TRUNCATE)");
  db.close();
  await ledger.close();
}

function writerOf(db: Database.Database) {
  const insertName = db.prepare("insert into names (name) values (?) returning no").pluck();
  const known = new Map<string, number>([["", 0]]);
  const nameOf = (name: string): number => {
    const no = known.get(name) ?? (insertName.get(name) as number);
    known.set(name, no);
    return no;
  };
  db.prepare("insert into books (workspace_id, folded, unfolded_lines) values (?, 0, 0)").run(WORKSPACE);
  const insertSession = db.prepare(`insert into sessions
    (id, workspace_id, agent_id, role, team_id, task_id, user_id, model, provider, root_session_id, path, depth, budget, tools,
      memory, clamped, status, opened_at, expires_at, ended_at, charges, errors, input_tokens, output_tokens,
      cache_read_tokens, cache_write_tokens, tool_calls, cost_nano_usd, outcome, ended_hour, cost_limit_nano_usd)
    values (@id, '${WORKSPACE}', @agent, @role, @team, @task, @user, @model, @provider, @id, @id, 0,
      '{"maxPromptTokens":"500000","maxCompletionTokens":"100000","maxTotalTokens":"600000","maxCostCents":"500","maxToolCalls":"100","maxDuration":"3600000","maxSpawnDepth":"5","maxChildAgents":"20"}',
      '{"allow":null,"deny":[]}', '{}', '[]', 'success', @at, @at + 3600000, @at + 1500000, @charges, 0, @input, @output, @cached, 0, @calls, @cost,
      'success', @endedHour, 5000000000)`);
  const insertAttribution = db.prepare("insert into attributions values (?, 1, ?, ?, ?, ?, ?)");
  const insertCharge = db.prepare(`insert into charge_rows values
    (@seq, @session, @no, @model, @provider, @tool, @at, 0, @hour, @input, @output, @cached, 0, 0, @calls, @cost, null, @cost, 1,
      @list, 0, 0, @latency, null, null, @key, @request, null, null, 0)`);
  const insertLine = db.prepare("insert into charge_tool_rows values (?, ?, 1, ?)");
  const insertBalance = db.prepare(`insert into balances values ('${WORKSPACE}', ?, ?, ?, ?, ?, 0, ?, 0, ?, 0, ?, 0)
    on conflict do update set cost_spent = cost_spent + excluded.cost_spent, prompt_spent = prompt_spent + excluded.prompt_spent,
      completion_spent = completion_spent + excluded.completion_spent, tool_calls_spent = tool_calls_spent + excluded.tool_calls_spent`);
  let seq = Number(BOOK_SIZE);
  let balances = new Map<string, { key: string[]; sums: [number, number, number, number] }>();

  const session = (random: () => number, startedAt: number, charges: number): void => {
    const pick = (count: number) => Math.floor(random() * count);
    const agent = pick(YEAR.agents);
    // An agent works for one team, mostly with two models of its providers and four tools.
    const model = (agent + (random() < 0.7 ? 0 : 5)) % YEAR.models;
    const own = {
      id: newId("session", startedAt),
      agent: `agent-${agent}`,
      role: ["researcher", "analyst", "writer", "mediator"][agent % 4] ?? null,
      team: `team-${agent % YEAR.teams}`,
      task: `task-${new Date(startedAt).toISOString().slice(0, 10)}-${pick(YEAR.tasksADay)}`,
      user: `user-${pick(YEAR.users)}`,
      model: `model-${model}-20260101`,
      provider: `provider-${model % YEAR.providers}`,
    };
    const no = nameOf(own.id);
    known.delete(own.id);
    insertAttribution.run(
      no,
      nameOf(own.agent),
      nameOf(own.team),
      nameOf(own.task),
      nameOf(own.user),
      nameOf(own.role ?? ""),
    );
    const totals = { input: 0, output: 0, cached: 0, calls: 0, cost: 0 };
    const tools = Array.from({ length: 4 }, (_, k) => `tool-${(agent * 7 + k * 5) % YEAR.tools}`);
    for (let j = 0; j < charges; j++) {
      const at = startedAt + j * 25_000;
      const input = pick(3_000);
      const output = pick(1_200);
      const cached = pick(60_000);
      const cost = input * 3_000 + output * 15_000 + cached * 300;
      const kind = random();
      const calls = kind < 0.5 ? 1 : 0;
      seq += 1;
      insertCharge.run({
        seq,
        session: no,
        no: j + 1,
        model: nameOf(own.model),
        provider: nameOf(own.provider),
        tool: kind < 0.2 ? nameOf(tools[pick(4)] ?? "") : 0,
        at,
        hour: Number(new Date(at).toISOString().slice(0, 13).replace(/[-T]/g, "")),
        input,
        output,
        cached,
        calls,
        cost,
        list: nameOf("genai-prices@0.0.71"),
        latency: pick(20_000),
        // Every charge has a key, as a careful client sends one: what costs the most space.
        key: hash(random),
        request: hash(random),
      });
      if (kind >= 0.2 && kind < 0.5) insertLine.run(seq, nameOf(tools[pick(4)] ?? ""), Math.floor(cost / 10));
      totals.input += input;
      totals.output += output;
      totals.cached += cached;
      totals.calls += calls;
      totals.cost += cost;
      count(own, at, [cost, input + cached, output, calls]);
    }
    const endedHour = new Date(startedAt + 1_500_000).toISOString().slice(0, 13);
    insertSession.run({ ...own, at: startedAt, endedHour, charges, ...totals });
  };

  const count = (own: { id: string; agent: string; team: string; task: string }, at: number, sums: number[]): void => {
    const attribution = {
      workspaceId: WORKSPACE,
      chain: [own.id],
      agentId: own.agent,
      teamId: own.team,
      taskId: own.task,
    };
    for (const each of balanceKeys({ ...attribution, hour: new Date(at).toISOString().slice(0, 13) })) {
      const key = [each.scope, each.scopeId, each.window, each.windowKey];
      const text = key.join(" ");
      const balance = balances.get(text) ?? { key, sums: [0, 0, 0, 0] };
      sums.forEach((sum, i) => {
        balance.sums[i as 0] += sum;
      });
      balances.set(text, balance);
    }
  };

  const flushBalances = (): void => {
    for (const { key, sums } of balances.values()) insertBalance.run(...key, ...sums);
    balances = new Map();
  };
  return { session, flushBalances };
}

/** As each session's end adds to its windows. */
function insertExecutions(db: Database.Database): void {
  for (const [kind, key] of [
    ["day", "substr(ended_hour, 1, 10)"],
    ["week", "date(substr(ended_hour, 1, 10), '-6 days', 'weekday 1')"],
    ["month", "substr(ended_hour, 1, 7)"],
  ])
    db.exec(`insert into executions_by_window
      select workspace_id, '${kind}', ${key}, agent_id, count(*), count(*), sum(latency_ms), sum(score_ppm)
      from execution_log group by 1, 2, 3, 4`);
}

/** 62 random bits: what a key or a request is kept as. */
const hash = (random: () => number): bigint =>
  (BigInt(Math.floor(random() * 2 ** 31)) << 31n) | BigInt(Math.floor(random() * 2 ** 31));
