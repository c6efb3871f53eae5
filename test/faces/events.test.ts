// GET /events: open pages hear what changed, whichever process caused it, and no more than their reader may see.
import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { PassThrough } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { dashboardEvents } from "../../src/faces/dashboard/events.ts";
import { worldOf } from "../world.ts";
import { signIn } from "./browser.ts";
import { eventOf, listenTo } from "./events-stream.ts";
import { newRoom } from "./room.ts";
import { startServer } from "./server-process.ts";
import { callerAt, newServerRoom, type ServerRoom } from "./server-room.ts";

const USAGE = { input_tokens: 1, output_tokens: 1, cost_usd: 0.25 };
const WITHIN = { timeout: 2_500, interval: 20 };

async function opened({ owner }: Pick<ServerRoom, "owner">, agent = "ada") {
  const { session_id } = (await owner.post(`/api/v1/agents/${agent}/sessions`)).body;
  return async () => (await owner.post(`/api/v1/sessions/${session_id}/usage`, USAGE)).body.charge_id;
}

describe("an open page", () => {
  test("is told everything at once, then only what changed, each charge once", async () => {
    const room = await newServerRoom();
    const spend = await opened(room);
    const before = await spend();
    const { cookie } = await signIn(room, await room.keyOf("viewer"));
    const page = await listenTo(room.url, { cookie });
    expect(page.response.headers.get("content-type")).toBe("text/event-stream");
    expect(page.response.headers.get("cache-control")).toBe("no-store");
    await vi.waitFor(() => expect(page.told).toHaveLength(1), WITHIN);
    const { body } = await room.owner.get("/api/v1/now");
    expect({ ...page.now(), at: 0 }).toEqual({ ...body, at: 0 });
    expect(page.charges()).toEqual([before]);

    const later = [await spend(), await spend()];
    await vi.waitFor(() => expect(page.charges()).toEqual([before, ...later]), WITHIN);
    expect(page.now().today).toMatchObject({ spent_usd: 0.75 });
    const changes = page.told.slice(1).filter(({ event }) => event === "now");
    for (const { data } of changes) expect(Object.keys(data)).not.toContain("workspace_id");
    expect(page.told.map(({ event }) => event)).toContain("changed");

    // A page that comes later is not told of less.
    const other = await listenTo(room.url, { ...room.owner.headers });
    await vi.waitFor(() => expect(other.charges()).toEqual([before, ...later]), WITHIN);
  });

  test("hears within a second what another process committed", async () => {
    const room = newRoom("workspace: { id: home }");
    const server = await startServer(room, ["--rate-limit", "0"]);
    const beside = await startServer(room, ["--rate-limit", "0"]);
    const page = await listenTo(server.url, { "x-api-key": server.ownerKey });
    const spend = await opened({ owner: beside.caller(server.ownerKey) });
    for (let i = 0; i < 5; i++) {
      const charge = await spend();
      const began = performance.now();
      await vi.waitFor(() => expect(page.charges()).toContain(charge), { timeout: 5_000, interval: 10 });
      expect(performance.now() - began).toBeLessThan(1_000);
    }
    // A server that is told to stop ends its streams, and does not wait for them.
    const began = performance.now();
    expect(await server.stop()).toBe(0);
    expect(performance.now() - began).toBeLessThan(4_000);
    await vi.waitFor(() => expect(page.isOver()).toBe(true), WITHIN);
  });

  test("hears of its own workspace only", async () => {
    const room = await newServerRoom({ policies: [{ workspace: { id: "a" } }, { workspace: { id: "b" } }] });
    const [one, two] = await Promise.all(room.ownerKeys.map((key) => listenTo(room.url, { "x-api-key": key })));
    const spend = await opened(room);
    const charge = await spend();
    await vi.waitFor(() => expect(one?.charges()).toEqual([charge]), WITHIN);
    await sleep(500);
    expect([two?.now().workspace_id, two?.now().open_sessions, two?.charges()]).toEqual(["b", 0, []]);
  });

  test("shows a viewer no single charges where privacy is on, and an owner all", async () => {
    const room = await newServerRoom({ policy: { privacy: { enabled: true } } });
    const spend = await opened(room);
    const viewer = await listenTo(room.url, { "x-api-key": await room.keyOf("viewer") });
    const owner = await listenTo(room.url, { ...room.owner.headers });
    const charge = await spend();
    await vi.waitFor(() => expect(owner.charges()).toEqual([charge]), WITHIN);
    await vi.waitFor(() => expect(viewer.now().today).toMatchObject({ spent_usd: 0.25 }), WITHIN);
    expect([viewer.charges(), viewer.now().feed_hidden]).toEqual([[], true]);
  });

  test("hears of a policy that was edited", async () => {
    const room = await newServerRoom();
    const page = await listenTo(room.url, { ...room.owner.headers });
    await vi.waitFor(() => expect(page.told).toHaveLength(1), WITHIN);
    room.setPolicy({ agents: [{ id: "ada", dailyCostLimitUsd: 5 }] });
    await vi.waitFor(() => expect(page.now().limits).toMatchObject([{ scope: "agent", limit: 5 }]), WITHIN);
    await vi.waitFor(() => expect(page.told.map(({ event }) => event)).toContain("changed"), WITHIN);
  });
});

describe("the stream", () => {
  test("ends when the ledger cannot be read any more, and begins anew once it can", async () => {
    const room = await newServerRoom();
    const spend = await opened(room);
    const page = await listenTo(room.url, { ...room.owner.headers });
    await vi.waitFor(() => expect(page.told).toHaveLength(1), WITHIN);
    const file = new Database(room.ledgerFile);
    onTestFinished(() => void file.close());
    file.exec("ALTER TABLE stops RENAME TO stops_gone");
    await vi.waitFor(() => expect(page.isOver()).toBe(true), { timeout: 10_000, interval: 50 });
    expect((await room.owner.get("/events")).status).toBe(500);
    file.exec("ALTER TABLE stops_gone RENAME TO stops");
    const charge = await spend();
    const again = await listenTo(room.url, { ...room.owner.headers });
    await vi.waitFor(() => expect(again.charges()).toEqual([charge]), WITHIN);
  });

  test("is for viewers and up, by GET, and not for pages of another port", async () => {
    const room = await newServerRoom();
    const { cookie, page } = await signIn(room, room.ownerKeys[0] ?? "");
    const agent = { "x-api-key": await room.keyOf("agent", "ada") };
    expect((await listenTo(room.url, agent)).response.status).toBe(403);
    expect((await listenTo(room.url, {})).response.status).toBe(401);
    const foreign = { cookie, origin: "http://127.0.0.1:1" };
    expect((await listenTo(room.url, foreign)).response.status).toBe(403);
    expect((await listenTo(room.url, { cookie, "sec-fetch-site": "same-site" })).response.status).toBe(403);
    for (const method of ["HEAD", "POST", "DELETE"]) expect((await page.send(method, "/events")).status).toBe(405);
  });

  test("leaves room for others, however many browsers one key signs in", async () => {
    const room = await newServerRoom();
    const key = await room.keyOf("viewer");
    const browsers = await Promise.all([signIn(room, key), signIn(room, key), signIn(room, key)]);
    const asked = browsers.flatMap(({ cookie }) => Array.from({ length: 40 }, () => listenTo(room.url, { cookie })));
    const statuses = (await Promise.all(asked)).map(({ response }) => response.status);
    expect([200, 409].map((status) => statuses.filter((each) => each === status).length)).toEqual([100, 20]);
    expect((await listenTo(room.url, { ...room.owner.headers })).response.status).toBe(200);
  });

  test("ends when its browser signs out, and within two seconds of its key's end; others stay", async () => {
    const room = await newServerRoom();
    const { body } = await room.owner.post("/api/v1/keys", { name: "a", role: "viewer" });
    const [out, revoked] = [await signIn(room, body.secret), await signIn(room, body.secret)];
    const streams = await Promise.all([out, revoked].map(({ cookie }) => listenTo(room.url, { cookie })));
    const stays = await listenTo(room.url, { ...room.owner.headers });
    expect((await out.page.delete("/auth/session")).status).toBe(204);
    await vi.waitFor(() => expect(streams.map(({ isOver }) => isOver())).toEqual([true, false]), WITHIN);
    await room.owner.delete(`/api/v1/keys/${body.key_id}`);
    await vi.waitFor(() => expect(streams.map(({ isOver }) => isOver())).toEqual([true, true]), WITHIN);
    expect(stays.isOver()).toBe(false);
  });

  test("leaves nothing running when its last page is gone, however it went", async () => {
    const room = await newServerRoom();
    const streams = await Promise.all(Array.from({ length: 20 }, () => listenTo(room.url, { ...room.owner.headers })));
    for (const { close } of streams) close();
    const spend = await opened(room);
    await spend();
    await sleep(400);
    const began = performance.now();
    await room.close();
    expect(performance.now() - began).toBeLessThan(2_000);
    expect(room.logged.join("\n")).not.toMatch(/watching|Error/);
  });
});

/** An answer whose reader reads when the test says so, in a face of its own. */
async function slowReader(bounds = {}) {
  const world = await worldOf();
  const events = dashboardEvents({ log: () => {}, bounds });
  onTestFinished(async () => {
    await events.close();
    await world.ledger.close();
  });
  const caller = { context: world.context, principal: { kind: "owner", actor: "me" }, id: "me" } as const;
  const open = async () => {
    const wire = new PassThrough({ highWaterMark: 1 });
    const res = new ServerResponse(new IncomingMessage(new Socket()));
    res.assignSocket(wire as unknown as Socket);
    await events.open(res, caller);
    return { wire, res };
  };
  return { world, open };
}

describe("a reader that does not read", () => {
  test("costs no memory; when it reads again it is told the newest state and no charge is lost", async () => {
    const { world, open } = await slowReader();
    const { wire, res } = await open();
    const waiting = res.writableLength;
    expect(waiting).toBeGreaterThan(500);
    const { session_id } = await world.open();
    const charges = [];
    for (let i = 0; i < 6; i++) {
      charges.push((await world.report({ session_id, cost_usd: 0.25 })).charge_id);
      await sleep(220);
    }
    expect(res.writableLength).toBe(waiting);
    let text = "";
    wire.on("data", (bytes) => {
      text += bytes;
    });
    const told = () =>
      text
        .replaceAll(/\r\n[\da-f]+\r\n/g, "")
        .split("\n\n")
        .flatMap(eventOf)
        .filter(({ event }) => event === "now")
        .map(({ data }) => data);
    await vi.waitFor(() => expect(told()).toHaveLength(2), WITHIN);
    expect(told()[1]?.feed?.map(({ charge_id }) => charge_id)).toEqual(charges);
    expect(told()[1]?.today).toMatchObject({ spent_usd: 1.5 });
  });

  test("is one of so many: more are refused, and a silent stream is kept alive", async () => {
    const { open } = await slowReader({ mostStreamsOfKey: 2, keepAliveMs: 100 });
    const { wire } = await open();
    await open();
    await expect(open()).rejects.toMatchObject({ code: "conflict" });
    let text = "";
    wire.on("data", (bytes) => {
      text += bytes;
    });
    await vi.waitFor(() => expect(text).toContain("event: alive\ndata: {}\n\n"), WITHIN);
    expect(text).toContain("retry: 1000\n\n");
  });
});

test("with --insecure-no-auth the stream is open to whoever reaches it", async () => {
  const room = await newServerRoom({ settings: { auth: "insecure_none" } });
  const page = await listenTo(room.url, {});
  await callerAt(room.url, {}).post("/api/v1/stops", { agent_id: "ada", reason: "a test" });
  await vi.waitFor(() => expect(page.now().stops).toHaveLength(1), WITHIN);
});
