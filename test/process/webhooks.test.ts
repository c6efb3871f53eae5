// Webhooks over real processes: what was raised is delivered though its server was killed, and two share the work.
import { expect, test } from "vitest";
import { newReceiver, ok, SECRET } from "../faces/receiver.ts";
import { newRoom, type Room } from "../faces/room.ts";
import { type ServerProcess, startServer } from "../faces/server-process.ts";
import { expectClean, leaveAll, report, startServers } from "./servers.ts";

const ENV = { OPS_WEBHOOK_SECRET: SECRET };
const TASKS = 40;

const roomFor = (url: string): Room =>
  newRoom(`
hardCaps: { maxCostCents: 100000, maxToolCalls: 100000 }
tasks: [${Array.from({ length: TASKS }, (_, i) => `{ id: t${i}, task_type: config }`).join(", ")}]
webhooks: [{ id: ops, url: "${url}", secretEnv: OPS_WEBHOOK_SECRET }]
`);

async function post(server: ServerProcess, key: string, path: string, body: object): Promise<Record<string, unknown>> {
  const headers = { "x-api-key": key, "content-type": "application/json" };
  const response = await fetch(new URL(path, server.url), { method: "POST", headers, body: JSON.stringify(body) });
  expect(response.ok).toBe(true);
  return (await response.json()) as Record<string, unknown>;
}

/** A typo that costs two dollars. */
async function raise(server: ServerProcess, key: string, task: number): Promise<void> {
  const { session_id } = await post(server, key, "api/v1/agents/ada/sessions", { task_id: `t${task}` });
  const usage = { input_tokens: 0, output_tokens: 0, cost_usd: 2 };
  await post(server, key, `api/v1/sessions/${session_id}/usage`, usage);
}

test("an incident whose server was killed before it could tell of it is told after the next start", async () => {
  const down = await newReceiver();
  await down.close();
  const room = roomFor(down.url);
  const first = await startServer(room, ["--rate-limit", "0"], ENV);
  const key = first.ownerKey;
  for (let i = 0; i < 5; i++) await raise(first, key, i);
  await first.stop("SIGKILL");
  const receiver = await newReceiver(ok, down.port);
  const second = await startServer(room, ["--rate-limit", "0"], ENV);
  const messages = () => new Set(receiver.received.map(({ body }) => body.data.task_id));
  // What the killed one had leased is free again after half a minute; what it had tried, after its pause.
  await expect.poll(() => messages().size, { timeout: 60_000, interval: 200 }).toBe(5);
  expect(receiver.received.every((each) => each.isSigned)).toBe(true);
  expect(await second.stop()).toBe(0);
  expect((await room.json(["webhooks", "list", "--state", "delivered"])).deliveries).toHaveLength(5);
  await expectClean(room);
});

test("servers and stdio processes on one ledger tell of every incident, hardly ever twice", async () => {
  const receiver = await newReceiver();
  const room = roomFor(receiver.url);
  const server = await startServer(room, ["--rate-limit", "0"], ENV);
  const beside = await startServer(room, ["--rate-limit", "0"], ENV);
  const agents = await startServers({ ...room, env: { ...room.env, ...ENV } }, 2);
  await Promise.all(
    Array.from({ length: TASKS }, async (_, i) => {
      if (i % 4 < 2) return await raise(i % 2 ? server : beside, server.ownerKey, i);
      const agent = agents[i % 2];
      if (!agent) throw new Error("no agent");
      const { data } = await agent.call("open_session", { agent_id: "ada", task_id: `t${i}` });
      await report(agent, { session_id: data.session_id, cost_usd: 2 });
    }),
  );
  const told = () => new Set(receiver.received.map(({ body }) => body.data.incident_id));
  await expect.poll(() => told().size, { timeout: 30_000 }).toBe(TASKS);
  expect(receiver.received.length).toBeLessThanOrEqual(TASKS + 2);
  await leaveAll(agents);
  expect([await server.stop(), await beside.stop()]).toEqual([0, 0]);
  await expectClean(room);
});

test("without a server that is up, the command sends what is due; lists and acknowledgements are in the terminal", async () => {
  const receiver = await newReceiver();
  const room = roomFor(receiver.url);
  const [agent] = await startServers(room, 1);
  if (!agent) throw new Error("no agent");
  const { data } = await agent.call("open_session", { agent_id: "ada", task_id: "t1" });
  await report(agent, { session_id: data.session_id, cost_usd: 2 });
  await leaveAll([agent]);
  expect(receiver.received).toEqual([]);
  const { stderr } = await room.run(["webhooks", "deliver"]);
  expect(stderr).toContain("OPS_WEBHOOK_SECRET is not set");
  expect(await room.run(["webhooks", "deliver"], { env: ENV })).toMatchObject({
    code: 0,
    stdout: "1 message sent. See: astra-budget webhooks list\n",
  });
  expect(receiver.received).toMatchObject([{ isSigned: true }]);
  const [incident] = (await room.json(["incidents", "list"])).incidents as Record<string, string>[];
  const id = incident?.incident_id ?? "";
  expect(id).toMatch(/^inc_[0-9a-z]{30}$/);
  expect((await room.run(["incidents", "show", id])).stdout).toMatch(/red_flag_usd +1\n/);
  expect(await room.run(["incidents", "ack", id, "--note", "A real typo"])).toMatchObject({ code: 0 });
  expect((await room.run(["incidents", "list", "--state", "acknowledged"])).stdout).toContain("task_red_flag");
  expect((await room.run(["incidents", "show", "inc_none"])).code).toBe(4);
  const [message] = (await room.json(["webhooks", "list"])).deliveries as Record<string, string>[];
  expect((await room.run(["webhooks", "redeliver", message?.delivery_id ?? ""])).code).toBe(0);
  expect((await room.json(["webhooks", "list", "--state", "pending"])).deliveries).toHaveLength(1);
  await expectClean(room);
});
