// Fills a ledger with charges in bulk, of the shape of three months of work, and with everything derived from them.
import Database from "better-sqlite3";
import { newId } from "../src/context.ts";
import { balanceKeys } from "../src/core/balance-key.ts";
import { openSqlite } from "../src/ledger/sqlite.ts";

export const WORKSPACE = "example";
const AGENTS = 40;
const DAYS = 90;
const PER_SESSION = 50;
/** Eight models of four providers. */
const MODELS = Array.from({ length: 8 }, (_, i) => [`model-${i}`, `provider-${i % 4}`] as const);
const TOOLS = Array.from({ length: 12 }, (_, i) => `tool-${i}`);

const DAY_MS = 86_400_000;
const SUMS =
  "sum(charges), sum(unpriced), sum(input_tokens), sum(output_tokens), sum(cache_read_tokens), sum(cache_write_tokens), sum(tool_calls), sum(cost_nano_usd)";

/** Charges a ledger through its operations would hold as well: verify_ledger finds nothing. */
export async function load(file: string, charges: number, nowMs: number): Promise<void> {
  await (await openSqlite(file)).close();
  const db = new Database(file);
  for (const pragma of ["synchronous = OFF", "foreign_keys = OFF", "cache_size = -200000"]) db.pragma(pragma);
  db.transaction(() => {
    insertSessions(db, charges / PER_SESSION, nowMs);
    insertRollups(db);
    insertBalances(db);
  })();
  db.pragma("wal_checkpoint(TRUNCATE)");
  db.close();
}

function insertSessions(db: Database.Database, sessions: number, nowMs: number): void {
  const random = randomFrom(1);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const session = db.prepare(`insert into sessions values
    (@id, '${WORKSPACE}', @agent, null, @team, @task, @user, @model, @provider, null, null, @id, @id, 0, '{}', '{}', '{}',
    '[]', 'success', null, @at, @at + 3600000, @at + 1500000, null, null, ${PER_SESSION}, 0, @input, @output, 0, 0, @calls, @cost, 'success', null, null)`);
  const charge = db.prepare(`insert into charges values
    (@id, '${WORKSPACE}', @session, @agent, null, @team, @task, @user, @model, @provider, @tool, @at, @at, @hour, @input,
    @output, 0, 0, 0, @calls, @cost, @cost, null, 'reported', null, 'self_reported', 0, null, null, null, @key, '{}')`);
  const line = db.prepare("insert into charge_tools values (?, ?, 1, ?)");
  for (let i = 0; i < sessions; i++) {
    const at = nowMs - DAYS * DAY_MS + Math.floor(((i + random()) / sessions) * (DAYS * DAY_MS - 3_600_000));
    const agent = Math.floor(random() * AGENTS);
    // An agent works for one team, mostly with two models and four tools.
    const [model, provider] = MODELS[(agent + (random() < 0.5 ? 0 : 3)) % MODELS.length] ?? [null, null];
    const tools = TOOLS.slice(agent % 9, (agent % 9) + 4);
    const own = {
      id: newId("session", at),
      agent: `agent-${agent}`,
      team: `team-${agent % 5}`,
      task: `task-${Math.floor(random() * 200)}`,
      user: `user-${Math.floor(random() * 25)}`,
      model,
      provider,
    };
    const totals = { input: 0, output: 0, calls: 0, cost: 0 };
    for (let j = 0; j < PER_SESSION; j++) {
      const input = Math.floor(random() * 8_000);
      const output = Math.floor(random() * 1_000);
      const cost = input * 3_000 + output * 15_000;
      const id = newId("charge", at + j * 30_000);
      const kind = random();
      charge.run({
        ...own,
        id,
        session: own.id,
        tool: kind < 0.2 ? pick(tools) : null,
        at: at + j * 30_000,
        hour: new Date(at + j * 30_000).toISOString().slice(0, 13),
        input,
        output,
        calls: kind < 0.5 ? 1 : 0,
        cost,
        key: `key-${j}`,
      });
      if (kind >= 0.2 && kind < 0.5) line.run(id, pick(tools), Math.floor(cost / 10));
      totals.input += input;
      totals.output += output;
      totals.calls += kind < 0.5 ? 1 : 0;
      totals.cost += cost;
    }
    session.run({ ...own, at, ...totals });
  }
}

function insertRollups(db: Database.Database): void {
  const key = (tool: string) =>
    `c.workspace_id, substr(c.hour, 1, 10) as day, c.agent_id, c.team_id, c.task_id, c.user_id, '' as role, c.provider, c.model, ${tool} as tool`;
  db.exec(`
    insert into costs_by_day select workspace_id, day, agent_id, team_id, task_id, user_id, role, provider, model, tool, ${SUMS}
    from (
      select ${key("coalesce(c.tool, '')")}, 1 as charges, 0 as unpriced, c.input_tokens, c.output_tokens, 0 as cache_read_tokens,
        0 as cache_write_tokens, c.tool_calls - coalesce(t.calls, 0) as tool_calls,
        c.cost_nano_usd - coalesce(t.cost_nano_usd, 0) as cost_nano_usd
      from charges c left join charge_tools t on t.charge_id = c.id
      union all
      select ${key("t.tool")}, 0, 0, 0, 0, 0, 0, t.calls, t.cost_nano_usd
      from charge_tools t join charges c on c.id = t.charge_id)
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10;
    insert into costs_by_month select workspace_id, substr(day, 1, 7), agent_id, provider, tool, ${SUMS}
    from costs_by_day group by 1, 2, 3, 4, 5`);
}

function insertBalances(db: Database.Database): void {
  const rows = db
    .prepare(`select s.id, s.agent_id, s.team_id, s.task_id, c.hour, sum(c.cost_nano_usd), sum(c.input_tokens),
      sum(c.output_tokens), sum(c.tool_calls) from charges c join sessions s on s.id = c.session_id group by s.id, c.hour`)
    .raw()
    .all() as [string, string, string, string, string, ...number[]][];
  const balances = new Map<string, { key: string[]; sums: number[] }>();
  for (const [id, agentId, teamId, taskId, hour, ...sums] of rows) {
    for (const each of balanceKeys({ workspaceId: WORKSPACE, chain: [id], agentId, teamId, taskId, hour })) {
      const key = [each.scope, each.scopeId, each.window, each.windowKey];
      const balance = balances.get(key.join(" "));
      if (balance) balance.sums = balance.sums.map((sum, i) => sum + (sums[i] ?? 0));
      else balances.set(key.join(" "), { key, sums });
    }
  }
  const insert = db.prepare(`insert into balances values ('${WORKSPACE}', ?, ?, ?, ?, ?, 0, ?, 0, ?, 0, ?, 0)`);
  for (const { key, sums } of balances.values()) insert.run(...key, ...sums);
}

/** The same numbers in every run (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
