// Any request over HTTP, by anybody: a right answer or a refusal in our words, nothing of anybody else's, a clean ledger.
import { spawn } from "node:child_process";
import Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import type { Asked, Caller } from "./http-fuzz-asked.ts";
import { judged, newRecords, type Records } from "./http-fuzz-judge.ts";
import { LABELS, randomRequest } from "./http-fuzz-requests.ts";
import { Line, type Reply } from "./http-fuzz-socket.ts";
import { wireOf } from "./http-fuzz-spoilt.ts";
import { fuzzStream } from "./http-fuzz-stream.ts";
import { Known, Random } from "./http-fuzz-values.ts";
import { CLI, newRoom, type Room } from "./room.ts";

/** ASTRA_FUZZ_REQUESTS=5000000 makes a night of it; ASTRA_FUZZ_SEED repeats a run. */
const REQUESTS = Number(process.env.ASTRA_FUZZ_REQUESTS ?? 100_000);
const SEED = Number(process.env.ASTRA_FUZZ_SEED ?? Date.now() % 1_000_000_007);
const CONNECTIONS = 24;
const MESSAGES = Math.ceil(REQUESTS / 50);

const POLICY = `
workspace: { id: fuzz }
hardCaps: { maxPromptTokens: 1000000000000, maxCompletionTokens: 1000000000000, maxTotalTokens: 1000000000000,
  maxCostCents: 100000000, maxToolCalls: 1000000000, maxDuration: 86400000, maxSpawnDepth: 5, maxChildAgents: 1000 }
teams: [{ id: red, dailyCostLimitUsd: 50, taskCostLimitUsd: 20 }, { id: blue }]
agents: [{ id: ada, team: red, dailyCostLimitUsd: 40, quotas: { tokensPerHour: 900000000 } }, { id: bob, team: blue },
  { id: eve, role: writer }]
webhooks: [{ id: nobody, url: "http://127.0.0.1:9/hook", secretEnv: FUZZ_SECRET }]
tasks: [{ id: t1, title: One, task_type: config, team: blue, tags: ["budget:500"] }, { id: t2, title: Two, depends_on: [t1] }]
tools: { web: { estimatedCostUsd: 0.01 } }
privacy: { enabled: true, epsilonTotal: 20 }
`;

type Server = { readonly url: string; readonly port: number; readonly owner: string; stderr(): string };

async function served(room: Room): Promise<Server> {
  const args = ["serve", "--config", "astra.yml", "--port", "0", "--rate-limit", "1000000000"];
  const child = spawn(process.execPath, [CLI, ...args], {
    cwd: room.folder,
    env: { ...room.env, FUZZ_SECRET: "a secret of at least 24 bytes" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  while (!/listening/.test(stderr)) {
    if (child.exitCode !== null) throw new Error(stderr);
    await new Promise((done) => setTimeout(done, 10));
  }
  const port = Number(/127\.0\.0\.1:(\d+)/.exec(stderr)?.[1]);
  return { url: `http://127.0.0.1:${port}`, port, owner: /oc_\S+/.exec(stderr)?.[0] ?? "", stderr: () => stderr };
}

async function asOwner(server: Server, path: string, body?: object): Promise<Record<string, unknown>> {
  const init = body && { method: "POST", body: JSON.stringify(body) };
  const headers = { "x-api-key": server.owner, "content-type": "application/json" };
  const response = await fetch(server.url + path, { ...init, headers });
  const answer = (await response.json()) as Record<string, unknown>;
  if (!response.ok) throw new Error(`${path}: ${JSON.stringify(answer)}`);
  return answer;
}

/** All roles by key, some by token, and some whom nobody knows. */
async function callersOf(server: Server): Promise<Caller[]> {
  const made = async (role: "agent" | "viewer" | "operator" | "owner", agent: string | null, how: "key" | "token") => {
    const name = `${role} ${agent ?? ""} ${how}`;
    const given = { name, role, ...(agent !== null && { agent_id: agent }) };
    const { secret } = (await asOwner(server, "/api/v1/keys", given)) as { secret: string };
    if (how === "key") return { name, role, agent, headers: [["x-api-key", secret]] } as const;
    const traded = await fetch(`${server.url}/auth/token`, { method: "POST", headers: { "x-api-key": secret } });
    const { access_token } = (await traded.json()) as { access_token: string };
    return { name, role, agent, headers: [["authorization", `Bearer ${access_token}`]] } as const;
  };
  const signedIn = async (role: "viewer" | "operator"): Promise<Caller> => {
    const { secret } = await asOwner(server, "/api/v1/keys", { name: `${role} browser`, role });
    const init = { method: "POST", headers: { "x-api-key": String(secret) } };
    const answer = await fetch(`${server.url}/auth/session`, init);
    const { csrf_token } = (await answer.json()) as { csrf_token: string };
    const cookie = answer.headers.get("set-cookie")?.split(";")[0] ?? "";
    return {
      ...{ name: `${role} cookie`, role, agent: null },
      headers: [
        ["cookie", cookie],
        ["x-csrf-token", csrf_token],
      ],
    };
  };
  const nobody = (name: string, headers: Caller["headers"]): Caller => ({ name, role: null, agent: null, headers });
  const { key_id, secret } = await asOwner(server, "/api/v1/keys", { name: "revoked", role: "owner" });
  await fetch(`${server.url}/api/v1/keys/${key_id}`, { method: "DELETE", headers: { "x-api-key": server.owner } });
  return [
    ...(await Promise.all((["ada", "bob", "eve"] as const).map((agent) => made("agent", agent, "key")))),
    ...(await Promise.all([
      made("agent", "ada", "token"),
      made("owner", null, "token"),
      made("viewer", null, "token"),
    ])),
    ...(await Promise.all((["viewer", "operator", "owner"] as const).map((role) => made(role, null, "key")))),
    await signedIn("viewer"),
    await signedIn("operator"),
    nobody("revoked", [["x-api-key", String(secret)]]),
    nobody("none", []),
  ];
}

/** One connection's share of the requests, one after the other; the same for the same seed. */
async function fuzzed(server: Server, callers: readonly Caller[], nth: number, records: Records): Promise<void> {
  const hand = { random: new Random(SEED + nth * 7_919), known: new Known(), callers };
  const line = new Line(server.port);
  let before: Asked | null = null;
  for (let i = nth; i < REQUESTS; i += CONNECTIONS) {
    const asked = randomRequest(hand);
    const ends =
      asked.framing === "cut" || asked.framing === "malformed" ? "cut" : asked.stream === "stays" ? "stream" : "stays";
    let reply: Reply | null = null;
    try {
      reply = await line.send({ bytes: wireOf(asked), method: asked.method, ends });
      if (reply) judged(asked, reply, records, hand.known);
      else if (ends !== "cut" && (asked.body?.length ?? 0) < 1_000_000) throw new Error("closed without an answer");
    } catch (error) {
      throw new Error(
        told(
          asked,
          reply,
          `${(error as Error).message}, request ${i}, after ${before && wireOf(before).toString("latin1").slice(-900)}`,
        ),
      );
    }
    before = asked;
  }
  line.close();
}

function told(asked: Asked, reply: Reply | null, what: string): string {
  const sent = wireOf(asked).toString("latin1").slice(0, 1_500);
  return `${what}; ASTRA_FUZZ_SEED=${SEED}\n--- ${asked.caller.name}, ${asked.label}\n${sent}\n--- ${reply?.head}\n${reply?.body.slice(0, 1_500)}`;
}

/** What was answered and what is written are the same; nobody was told of what is another's. */
function reckoned(room: Room, records: Records): void {
  const db = new Database(room.ledger, { readonly: true });
  const all = <Row>(sql: string) => db.prepare(sql).all() as Row[];
  const written = all<{ id: string }>("select id from charges where source <> 'correction'").map(({ id }) => id);
  expect(written.filter((id) => records.charges.get(id) !== 1)).toEqual([]);
  expect([...records.charges.keys()].filter((id) => !written.includes(id))).toEqual([]);
  const owners = new Map<string, string>();
  const sessions = all<{ id: string; agent_id: string; path: string }>("select id, agent_id, path from sessions");
  for (const { id, agent_id } of sessions) owners.set(id, agent_id);
  for (const table of ["charges", "holds"])
    for (const { id, session_id } of all<{ id: string; session_id: string }>(`select id, session_id from ${table}`))
      owners.set(id, owners.get(session_id) ?? "");
  for (const [agent, ids] of records.told) {
    // An operator may have put a session of one agent below another's: then it knows whom it spends from.
    const above = new Set(sessions.filter((each) => each.agent_id === agent).flatMap(({ path }) => path.split("/")));
    const foreign = [...ids].filter(([id]) => (owners.get(id) ?? agent) !== agent && !above.has(id));
    expect([agent, foreign]).toEqual([agent, []]);
  }
  db.close();
}

test("any request is answered rightly or refused in our words, tells nobody what is another's, and leaves the ledger clean", {
  timeout: 600_000 + REQUESTS * 6,
}, async () => {
  console.log(`ASTRA_FUZZ_SEED=${SEED} ASTRA_FUZZ_REQUESTS=${REQUESTS}`);
  const room = newRoom(POLICY);
  const server = await served(room);
  const callers = await callersOf(server);
  const limits = async () => {
    const { hard_caps, agents } = await asOwner(server, "/api/v1/policy");
    return { hard_caps, agents };
  };
  const before = await limits();
  const records = newRecords();
  const nth = Array.from({ length: CONNECTIONS }, (_, i) => i);
  await Promise.all([
    ...nth.map((i) => fuzzed(server, callers, i, records)),
    fuzzStream(server, callers, MESSAGES, new Random(SEED - 1), records),
  ]);
  console.log(JSON.stringify(Object.fromEntries([...records.statuses].sort(([a], [b]) => a - b))));

  expect(await limits()).toEqual(before);
  for (const path of ["/healthz", "/readyz"]) expect((await fetch(server.url + path)).status).toBe(200);
  expect(await room.run(["ledger", "verify"])).toMatchObject({ code: 0 });
  expect(await asOwner(server, "/api/v1/audit/verify")).toMatchObject({ ok: true });
  reckoned(room, records);
  expect(/.*(?:\n {4}at |internal|Error).*/.exec(server.stderr())?.[0]).toBeUndefined();
  // A fuzz that is always refused tests nothing.
  const often = Math.min(5, REQUESTS / 20_000);
  for (const label of LABELS) expect([label, (records.successes.get(label) ?? 0) >= often]).toEqual([label, true]);
});
