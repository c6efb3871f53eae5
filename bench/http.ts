// HTTP: check, budget and durable usage over REST and /mcp, against an empty JSON route and a no-op tool of the same libraries.
import { join } from "node:path";
import type { Hits, Shot } from "./http-gun.ts";
import { ask, gunProcess, type Served, serveProcess, yardstickProcess } from "./http-server.ts";
import { alone, ensureBuilt, inFolder, POLICY, type Row, sideBySide } from "./measure.ts";

const ROUNDS = 5;
const SECONDS = 1;
/** Before the first round counts; the compiler needs them. */
const WARM_UP = 1;
const CONNECTIONS = [1, 32] as const;

type Aim = Pick<Shot, "url" | "method" | "headers" | "body" | "keys">;
type Target = Row["target"];
type Comparison = {
  readonly name: string;
  readonly ours: string;
  readonly theirs: string;
  /** Of requests a second at 32 connections. */
  readonly target: Target;
};

const COMPARISONS: readonly Comparison[] = [
  { name: "GET /healthz (no gate), against an empty route", ours: "healthz", theirs: "emptyGet", target: null },
  { name: "GET agent's budget, against an empty route", ours: "budget", theirs: "emptyGet", target: null },
  { name: "  against /healthz", ours: "budget", theirs: "healthz", target: null },
  { name: "POST check, against an empty route", ours: "check", theirs: "emptyPost", target: { least: 0.6 } },
  {
    name: "POST usage (durable), against an empty route",
    ours: "usage",
    theirs: "emptyKeyed",
    target: { least: 0.35 },
  },
  { name: "/mcp check_budget, against a no-op tool", ours: "mcpCheck", theirs: "mcpNoop", target: null },
  { name: "/mcp report_usage (durable), against a no-op tool", ours: "mcpReport", theirs: "mcpNoop", target: null },
];

export async function http(): Promise<Row[]> {
  ensureBuilt();
  return await inFolder(async (folder) => {
    const server = await serveProcess(POLICY, join(folder, "ledger.db"));
    const yardstick = await yardstickProcess();
    const gun = gunProcess();
    const aims = await aimsAt(server, yardstick.url);
    const hits = new Map<string, Hits[]>();
    for (const connections of CONNECTIONS) {
      for (let round = -WARM_UP; round < ROUNDS; round++) {
        // They take turns, so that what else the machine does hits all alike.
        for (const [name, aim] of Object.entries(aims)) {
          const hit = await gun.fire({ ...aim, connections, seconds: SECONDS });
          if (round < 0) continue;
          const key = `${name} ${connections}`;
          hits.set(key, [...(hits.get(key) ?? []), hit]);
        }
      }
    }
    await gun.close();
    await Promise.all([server.close(), yardstick.close()]);
    return CONNECTIONS.flatMap((connections) =>
      COMPARISONS.flatMap((each) => rowsOf(each, connections, (name) => hits.get(`${name} ${connections}`) ?? [])),
    );
  });
}

function rowsOf({ name, ours, theirs, target }: Comparison, connections: number, of: (name: string) => Hits[]): Row[] {
  const compared = (field: keyof Hits) =>
    sideBySide(
      of(ours).map((hit) => hit[field]),
      of(theirs).map((hit) => hit[field]),
    );
  const many = connections === 1 ? "1 connection" : `${connections} connections`;
  return [
    {
      measure: `${name}, ${many}`,
      ...compared("perSecond"),
      unit: "req/s",
      target: connections === 32 ? target : null,
    },
    { measure: "  p50", ...compared("p50"), unit: "ms", target: null },
    { measure: "  p99", ...compared("p99"), unit: "ms", target: null },
  ];
}

const SESSION = { task_id: "fix-typo", user_id: "somebody", model: "claude-haiku-4-5" };
const ESTIMATE = { input_tokens: 1000, output_tokens: 100 };
const USED = { input_tokens: 20, output_tokens: 5 };
const JSON_TYPE = { "content-type": "application/json" };

/** The same request, headers and body on both sides of a comparison. */
async function aimsAt(server: Served, yardstick: string) {
  const { answer } = await ask(server, "POST /api/v1/agents/lead-agent/sessions", SESSION);
  const session = `${server.url}/api/v1/sessions/${answer.session_id}`;
  const headers = { "x-api-key": server.key, ...JSON_TYPE };
  const get = (url: string): Aim => ({ url, method: "GET", headers, body: null, keys: "none" });
  const post = (url: string, body: object, keys: Aim["keys"] = "none"): Aim => ({
    ...{ url, method: "POST", headers, body: JSON.stringify(body), keys },
  });
  const session_id = answer.session_id;
  return {
    emptyGet: get(`${yardstick}/empty`),
    healthz: get(`${server.url}/healthz`),
    budget: get(`${server.url}/api/v1/agents/lead-agent/budget`),
    emptyPost: post(`${yardstick}/empty`, { estimate: ESTIMATE }),
    check: post(`${session}/check`, { estimate: ESTIMATE }),
    emptyKeyed: post(`${yardstick}/empty`, USED, "each"),
    usage: post(`${session}/usage`, USED, "each"),
    mcpNoop: toolCall(`${yardstick}/mcp`, server.key, "noop", {}),
    mcpCheck: toolCall(`${server.url}/mcp`, server.key, "check_budget", { session_id, estimate: ESTIMATE }),
    mcpReport: toolCall(`${server.url}/mcp`, server.key, "report_usage", { session_id, ...USED }),
  };
}

const META = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "bench", version: "1.0.0" },
  "io.modelcontextprotocol/clientCapabilities": {},
};

function toolCall(url: string, key: string, name: string, args: object): Aim {
  const headers = {
    "x-api-key": key,
    ...JSON_TYPE,
    accept: "application/json, text/event-stream",
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": "tools/call",
    "mcp-name": name,
  };
  const body = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: args, _meta: META } };
  return { url, method: "POST", headers, body: JSON.stringify(body), keys: "none" };
}

await alone(import.meta.main, http);
