// The real command `serve`: its first start and the next, two at once, its options, and how it leaves.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { newRoom } from "./room.ts";
import { mcpAgent } from "./server-mcp.ts";
import { startServer } from "./server-process.ts";

const POLICY =
  "workspace: { id: home }\nteams: [{ id: eng, dailyCostLimitUsd: 5 }]\nagents: [{ id: ada, team: eng }]\n";

describe("the first start", () => {
  test("prints an owner's key once, says where its hash is, and a second start prints none", async () => {
    const room = newRoom(POLICY);
    const first = await startServer(room);
    const [key = "", ...more] = first.keys();
    expect(more).toEqual([]);
    expect(first.stderr()).toContain("the owner key of workspace home");
    expect(first.stderr()).toContain(`only its SHA-256 is kept, in ${room.ledger}`);
    expect((await first.caller(key).get("/api/v1/keys")).body.keys).toHaveLength(1);
    expect(await first.stop()).toBe(0);
    const second = await startServer(room);
    expect(second.keys()).toEqual([]);
    expect((await second.caller(key).get("/api/v1/keys")).body.keys).toHaveLength(1);
  });

  test("of two servers at once makes one key, and it opens both", async () => {
    for (let i = 0; i < 3; i++) {
      const room = newRoom(POLICY);
      const servers = await Promise.all([startServer(room), startServer(room)]);
      const keys = servers.flatMap((server) => server.keys());
      expect(keys).toHaveLength(1);
      for (const server of servers) expect((await server.caller(keys[0] ?? "").get("/costs")).status).toBe(200);
      await Promise.all(servers.map((server) => server.stop()));
    }
  });

  test("after the last owner's key was revoked or lost its time is a first start again", async () => {
    const room = newRoom(POLICY);
    const first = await startServer(room);
    const [key = ""] = first.keys();
    const owner = first.caller(key);
    const { keys } = (await owner.get("/api/v1/keys")).body as unknown as { keys: { key_id: string }[] };
    expect((await owner.delete(`/api/v1/keys/${keys[0]?.key_id}`)).status).toBe(200);
    await first.stop();
    const second = await startServer(room);
    expect(second.keys()).toHaveLength(1);
    expect(second.keys()[0]).not.toBe(key);
  });

  test("is not needed where the command line made a key, which opens the server at once", async () => {
    const room = newRoom(POLICY);
    const made = await room.json(["key", "create", "--name", "me", "--role", "owner"]);
    const server = await startServer(room);
    expect(server.keys()).toEqual([]);
    expect((await server.caller(String(made.secret)).get("/costs")).status).toBe(200);
  });
});

describe("the server as a process", () => {
  test("works over REST and MCP on the ledger that the command line and stdio servers use", async () => {
    const room = newRoom(POLICY);
    const server = await startServer(room);
    const owner = server.caller(server.keys()[0] ?? "");
    const { session_id } = (await owner.post("/api/v1/agents/ada/sessions", { task_id: 594 })).body;
    const usage = { input_tokens: 2500, output_tokens: 800, cost_usd: 0.012 };
    expect((await owner.post(`/api/v1/sessions/${session_id}/usage`, usage)).body).toMatchObject({ recorded: true });
    const { secret } = (await owner.post("/api/v1/keys", { name: "ada", role: "agent", agent_id: "ada" })).body;
    const agent = await mcpAgent(server.url, secret);
    expect((await agent.call("check_budget")).data).toMatchObject({ daily_spent_usd: 0.012, daily_limit_usd: 5 });
    expect(await room.json(["costs"])).toMatchObject({ total_cost_usd: 0.012 });
    expect(await server.stop("SIGINT")).toBe(0);
    expect(await room.json(["ledger", "verify"])).toMatchObject({ ok: true });
    expect(await room.json(["audit", "verify"])).toMatchObject({ ok: true });
  });

  test("loses nothing that it acknowledged when it is stopped in the middle of reports", async () => {
    const room = newRoom(POLICY);
    const server = await startServer(room, ["--rate-limit", "0"]);
    const owner = server.caller(server.keys()[0] ?? "");
    const { session_id } = (await owner.post("/api/v1/agents/ada/sessions")).body;
    let acknowledged = 0;
    const report = async (): Promise<void> => {
      const usage = { input_tokens: 1, output_tokens: 0, cost_usd: 0.001 };
      const answer = await owner.post(`/api/v1/sessions/${session_id}/usage`, usage).catch(() => null);
      if (answer?.status !== 200) return;
      acknowledged += 1;
      await report();
    };
    const reporting = Array.from({ length: 8 }, report);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const from = performance.now();
    expect(await server.stop()).toBe(0);
    // Clients keep their connections: none of them may be waited for when nothing is under way on it.
    expect(performance.now() - from).toBeLessThan(4_000);
    await Promise.all(reporting);
    expect(acknowledged).toBeGreaterThan(20);
    const { charges } = (await room.json(["costs"])) as { charges: number };
    expect(charges).toBe(acknowledged);
  });

  test("follows its policy's file, and notes each valid version in the audit once, though two servers see it", async () => {
    const room = newRoom(POLICY);
    const first = await startServer(room);
    const owner = first.caller(first.keys()[0] ?? "");
    const second = await startServer(room);
    const other = second.caller(first.keys()[0] ?? "");
    const limit = async (by: typeof owner) => (await by.get("/api/v1/agents/ada/budget")).body.daily_limit_usd;
    expect([await limit(owner), await limit(other)]).toEqual([5, 5]);
    room.write("astra.yml", POLICY.replace("Usd: 5", "Usd: 8"));
    await expect.poll(async () => [await limit(owner), await limit(other)], { timeout: 10_000 }).toEqual([8, 8]);
    room.write("astra.yml", "workspace: [");
    expect([await limit(owner), await limit(other)]).toEqual([8, 8]);
    const loads = async () => {
      const { entries } = (await owner.get("/api/v1/audit")).body as unknown as { entries: Record<string, unknown>[] };
      return entries.filter(({ action }) => action === "policy_loaded");
    };
    await expect.poll(async () => (await loads()).length).toBe(2);
    const [newest, before] = await loads();
    expect(newest).toMatchObject({ actor: "astra.yml", role: "owner", target: "policy home", before: before?.after });
    expect((await owner.get("/api/v1/audit/verify")).body).toMatchObject({ ok: true });
  });

  test.each([
    [["--insecure-no-auth", "--host", "0.0.0.0"], /--insecure-no-auth: expected a loopback --host/],
    [["--port", "70000"], /--port: expected a whole number/],
    [["--rate-limit", "many"], /--rate-limit: expected a whole number/],
    [["--public-url", "nonsense"], /--public-url: expected a URL/],
    [["--config", "astra.yml", "--config", "astra.yml"], /--config: expected policies of different workspaces/],
  ])("refuses %j, and says what was expected", async (args, why) => {
    await expect(startServer(newRoom(POLICY), args)).rejects.toThrow(why);
  });
});

/** The scripts that a server of that room read until it stopped. */
async function scriptsOf(args: readonly string[]): Promise<string[]> {
  const room = newRoom("workspace: { id: home }");
  const coverage = join(room.folder, "coverage");
  const server = await startServer(room, args, { NODE_V8_COVERAGE: coverage });
  const stream = await fetch(new URL("/sse", server.url), { headers: { "x-api-key": server.ownerKey } });
  expect(stream.status).toBe(args.includes("--no-sse") ? 404 : 200);
  const message = await server.caller(server.ownerKey).post("/messages?sessionId=x", {});
  expect(message).toMatchObject({ status: 404 });
  expect(await server.stop()).toBe(0);
  await stream.text().catch(() => "");
  const [file = ""] = readdirSync(coverage);
  const { result } = JSON.parse(readFileSync(join(coverage, file), "utf8")) as { result: { url: string }[] };
  return result.map(({ url }) => url);
}

test("--no-sse leaves /sse and /messages out, and what they are made of is not even read", async () => {
  const isOfSse = (url: string) => /mcp-sse/.test(url);
  expect((await scriptsOf([])).filter(isOfSse)).toHaveLength(1);
  expect((await scriptsOf(["--no-sse"])).filter(isOfSse)).toEqual([]);
});

test("the owner key is shown even where the server then cannot listen: it is in the ledger already", async () => {
  const room = newRoom("workspace: { id: home }");
  const busy = await startServer(newRoom("workspace: { id: other }"));
  const { code, stderr } = await room.run(["serve", "--port", busy.url.port]);
  expect(code).not.toBe(0);
  expect(stderr).toMatch(/shown this once: oc_[\w-]{43}/);
  expect(stderr).toMatch(/Cannot listen on 127\.0\.0\.1:\d+: another program listens there already/);
});
