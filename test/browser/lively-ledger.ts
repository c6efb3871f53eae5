// Five weeks of eight agents' work and what is open at this moment, booked by the real operations at their own times.
import { contextOver } from "../../src/context.ts";
import { openSqlite } from "../../src/ledger/sqlite.ts";
import { agentOperations, operatorOperations } from "../../src/operations/index.ts";
import { type Context, invoke, type Principal } from "../../src/operations/operation.ts";
import { randomFrom } from "../seeded-random.ts";
import { AGENT, type Answer, OPERATOR, policyOf } from "../world.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const DAYS = 35;

const AGENTS = [
  {
    agent_id: "research-lead",
    team: "research",
    model: "claude-sonnet-4-5",
    tasks: ["literature-review", "market-study"],
  },
  { agent_id: "paper-scout", team: "research", model: "claude-haiku-4-5", tasks: ["literature-review"] },
  { agent_id: "fact-checker", team: "research", model: "gpt-5-mini", tasks: ["market-study", "press-kit"] },
  { agent_id: "inbox-triage", team: "support", model: "claude-haiku-4-5", tasks: ["support-inbox"] },
  { agent_id: "refund-desk", team: "support", model: "gpt-5-mini", tasks: ["refunds"] },
  { agent_id: "code-reviewer", team: "platform", model: "claude-sonnet-4-5", tasks: ["review-queue", "upgrade-node"] },
  { agent_id: "test-writer", team: "platform", model: "gemini-2.5-pro", tasks: ["upgrade-node"] },
  { agent_id: "docs-writer", team: "platform", model: "gemini-2.5-flash", tasks: ["handbook"] },
] as const;
const DAILY: Readonly<Record<string, number>> = { "research-lead": 8, "code-reviewer": 5 };
const TOOLS = ["web_search", "file_read", "run_tests", "send_mail", "read_ticket"];

/** A place where it is the middle of the afternoon, so that a good part of the day is spent. */
function afternoonZone(): string {
  const hourIn = (timeZone: string) =>
    Number(new Intl.DateTimeFormat("en-GB", { hour: "2-digit", timeZone }).format(new Date()));
  const zones = [
    "Europe/Berlin",
    "America/New_York",
    "America/Los_Angeles",
    "Pacific/Auckland",
    "Asia/Tokyo",
    "Asia/Kolkata",
  ];
  const distance = (zone: string) => Math.abs(hourIn(zone) - 16);
  return zones.toSorted((a, b) => distance(a) - distance(b))[0] ?? "UTC";
}

const ZONE = afternoonZone();
const LIVELY = {
  workspace: { id: "acme", timezone: ZONE, dailyCostLimitUsd: 15, monthlyCostLimitUsd: 300 },
  hardCaps: {
    maxDuration: 8 * HOUR_MS,
    maxCostCents: 1500,
    maxTotalTokens: 50_000_000,
    maxPromptTokens: 50_000_000,
    maxCompletionTokens: 5_000_000,
  },
  teams: [
    { id: "research", dailyCostLimitUsd: 7 },
    { id: "support", dailyCostLimitUsd: 1 },
    { id: "platform", dailyCostLimitUsd: 8 },
  ],
  agents: AGENTS.map(({ agent_id, team }) => ({
    id: agent_id,
    team,
    role: team === "research" ? "researcher" : "writer",
    dailyCostLimitUsd: DAILY[agent_id] ?? null,
    budget: {
      maxTotalTokens: 5_000_000,
      maxCostCents: 400,
      maxToolCalls: 100,
      maxDuration: 6 * HOUR_MS,
      maxChildAgents: 6,
      maxSpawnDepth: 2,
    },
  })),
  tasks: [...new Set(AGENTS.flatMap(({ tasks }) => tasks))].map((id) => ({
    id,
    title: id.replace("-", " "),
  })),
};

/** A policy file is YAML, and JSON is. */
export const LIVELY_POLICY = JSON.stringify(LIVELY);

export async function fillLively(file: string): Promise<void> {
  const ledger = await openSqlite(file);
  const policy = policyOf(LIVELY);
  let clock = 0;
  const context: Context = Object.defineProperties({} as Context, {
    ...Object.getOwnPropertyDescriptors(contextOver(ledger, () => policy)),
    now: { value: () => clock, enumerable: true },
  });
  const call = async (at: number, name: string, input: object, principal: Principal = AGENT): Promise<Answer> => {
    clock = at;
    const operation = [...agentOperations, ...operatorOperations].find((each) => each.name === name);
    if (!operation) throw new TypeError(`no operation is called ${name}`);
    return (await invoke(operation, context, principal, input)) as Answer;
  };
  const now = Date.now();
  await past(call, now);
  await lookThrough(call, now);
  await present(call, now);
  await ledger.close();
}

type Call = (at: number, name: string, input: object, principal?: Principal) => Promise<Answer>;

/** Every day each agent has a session of four reports; weekends are quiet. */
async function past(call: Call, now: number): Promise<void> {
  const random = randomFrom(7);
  for (let day = DAYS; day >= 0; day--) {
    const noon = now - day * DAY_MS - 4 * HOUR_MS;
    const isWeekend = [0, 6].includes(new Date(noon).getUTCDay());
    for (const [i, { agent_id, model, tasks }] of AGENTS.entries()) {
      if (isWeekend && day > 0 && i % 3 > 0) continue;
      const from = noon + i * 600_000;
      const task_id = tasks[day % tasks.length];
      const { session_id } = await call(from, "open_session", {
        agent_id,
        task_id,
        model,
        user_id: `user-${(i + day) % 5}`,
      });
      // On a dear day a team has spent its share before the last of its agents begins.
      if (session_id === null) continue;
      for (let step = 1; step <= 4; step++)
        await call(from + step * 60_000, "report_usage", {
          session_id,
          ...usage(random, (1.6 - day / 60) * (day > 0 ? 5 : 2.5)),
        });
      const status = random() < 0.06 ? "error" : "success";
      await call(from + 5 * 60_000, "end_session", {
        session_id,
        status,
        ...(status === "error" ? { error: "The tool timed out" } : {}),
      });
    }
  }
}

/** Somebody looked at the incidents of the past. */
async function lookThrough(call: Call, now: number): Promise<void> {
  const { incidents } = await call(now, "list_incidents", { limit: 200 }, OPERATOR);
  for (const { incident_id } of incidents as { incident_id: string }[])
    await call(now, "acknowledge_incident", { incident_id, note: "Expected: a dear day" }, OPERATOR);
}

/** What an operator looks at: a swarm and others at work, a team near its cap, one agent stopped, an incident. */
async function present(call: Call, now: number): Promise<void> {
  const random = randomFrom(11);
  const open: { session_id: string; step: number }[] = [];
  let lead: string | null = null;
  for (const [i, { agent_id, model, tasks }] of AGENTS.entries()) {
    const at = now - (110 - i * 12) * 60_000;
    const parent =
      ["paper-scout", "fact-checker"].includes(agent_id) && lead !== null ? { parent_session_id: lead } : {};
    const { session_id } = await call(at, "open_session", { agent_id, task_id: tasks[0], model, ...parent });
    if (agent_id === "research-lead") lead = session_id;
    open.push({ session_id, step: [3.2, 1, 1.1, 1.55, 1.2, 3.4, 2.2, 0.6][i] ?? 1 });
  }
  for (let minute = 24; minute >= 1; minute--)
    for (const [i, { session_id, step }] of open.entries())
      if ((minute + i) % 3 === 0)
        await call(now - minute * 60_000 + i * 6_000, "report_usage", { session_id, ...usage(random, step * 1.3) });
  await call(
    now - 40_000,
    "stop",
    { agent_id: "refund-desk", reason: "Refunded the same order twice; Mira is looking at it" },
    OPERATOR,
  );
  const evening = new Date(now + 4 * HOUR_MS).toISOString();
  await call(
    now - 30_000,
    "grant",
    {
      scope: "team",
      scope_id: "platform",
      window: "day",
      measure: "cost_usd",
      amount: 3,
      expires_at: evening,
      reason: "Release day",
    },
    OPERATOR,
  );
}

/** Tokens of a report, some of them through a tool; what they cost is up to the price list. */
function usage(random: () => number, size: number) {
  const input_tokens = Math.round((4_000 + random() * 22_000) * size);
  const tool = random() < 0.4 ? { tool: TOOLS[Math.floor(random() * TOOLS.length)] } : {};
  return {
    input_tokens,
    output_tokens: Math.round(input_tokens * (0.06 + random() * 0.1)),
    cache_read_tokens: input_tokens,
    ...tool,
  };
}
