// HTTP+SSE of 2024-11-05: the old client against it, streams that belong to their caller, bounds, dropped connections.
import { request } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { expect, onTestFinished, test, vi } from "vitest";
import { oldSse } from "./http-clients.ts";
import { type HttpRoom, newHttpRoom } from "./http-room.ts";

type Raw = { readonly status: number; readonly endpoint: string; text(): string; drop(): void };

/** A stream opened by hand; resolves when the endpoint came or the answer ended. */
function stream(room: HttpRoom, agent?: string): Promise<Raw> {
  return new Promise((resolve, reject) => {
    const headers = { accept: "text/event-stream", ...(agent !== undefined && { "x-agent": agent }) };
    const asked = request(new URL("/sse", room.url), { headers, agent: false }, (response) => {
      let text = "";
      const answer = () =>
        resolve({
          status: response.statusCode ?? 0,
          endpoint: /^event: endpoint\ndata: (\S+)\n\n/.exec(text)?.[1] ?? "",
          text: () => text,
          drop: () => asked.destroy(),
        });
      response.on("data", (chunk) => {
        text += String(chunk);
        if (text.includes("\n\n")) answer();
      });
      response.on("end", answer);
      response.on("error", () => {});
    });
    asked.on("error", reject);
    asked.end();
    onTestFinished(() => void asked.destroy());
  });
}

const post = (room: HttpRoom, endpoint: string, body: string, headers: Record<string, string> = {}) =>
  fetch(new URL(endpoint, room.url), {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
  });

const PING = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" });

test("the old client opens, reports, reads the live budget and ends", async () => {
  const room = await newHttpRoom();
  const agent = await oldSse(room.url, "ada");
  expect(agent.protocol).toBe("2025-11-25");
  expect(await agent.tools()).toHaveLength(5);
  const { session_id } = await agent.call("open_session");
  await agent.call("report_usage", { session_id, input_tokens: 1, output_tokens: 1, cost_usd: 0.5 });
  expect(await agent.read(`budget://sessions/${session_id}`)).toMatchObject({ daily_spent_usd: 0.5 });
  expect(await agent.call("end_session", { session_id })).toMatchObject({ totals: { cost_usd: 0.5 } });
  expect(room.logged).toEqual([]);
});

test("a stream takes messages of the caller who opened it only: others hear the same 404 as of an unknown one", async () => {
  const room = await newHttpRoom();
  const own = await stream(room, "ada");
  expect((await post(room, own.endpoint, PING, { "x-agent": "ada" })).status).toBe(202);
  const foreign = await post(room, own.endpoint, PING, { "x-agent": "bob" });
  const unknown = await post(room, "/messages?sessionId=nobody", PING, { "x-agent": "bob" });
  const none = await post(room, "/messages", PING, { "x-agent": "bob" });
  expect([foreign.status, unknown.status, none.status]).toEqual([404, 404, 404]);
  const texts = [await foreign.text(), await unknown.text(), await none.text()];
  expect(new Set(texts).size).toBe(1);
  await vi.waitFor(() => expect(own.text()).toContain('"id":1'));
  expect(own.text().match(/event: message/g)).toHaveLength(1);
});

test("messages that cannot be right are refused in our words, and the stream goes on", async () => {
  const room = await newHttpRoom();
  const own = await stream(room);
  const cases: [body: string, type: string, status: number][] = [
    [PING, "text/plain", 415],
    [PING, "application/json; charset", 202],
    [PING, "application/json; charset=klingon", 202],
    ["{", "application/json", 400],
    ["", "application/json", 400],
    ["5", "application/json", 400],
    ['{"jsonrpc":"2.0","id":{}}', "application/json", 400],
    [" ".repeat(1_048_577), "application/json", 413],
  ];
  for (const [body, type, status] of cases) {
    const response = await post(room, own.endpoint, body, { "content-type": type });
    const text = await response.text();
    expect(response.status, `${body.slice(0, 40)} as ${type}: ${text}`).toBe(status);
    expect(text).not.toMatch(/node_modules|\.js|\bat |zod|invalid_/);
  }
  expect((await post(room, own.endpoint, PING)).status).toBe(202);
});

test("streams are bounded, in all and for each caller, and a dropped one makes place", async () => {
  const room = await newHttpRoom({ bounds: { mostStreams: 3, mostStreamsOfCaller: 2 } });
  const first = await stream(room, "ada");
  await stream(room, "ada");
  expect((await stream(room, "ada")).status).toBe(503);
  expect((await stream(room, "bob")).status).toBe(200);
  expect((await stream(room, "eve")).status).toBe(503);
  first.drop();
  await vi.waitFor(async () => expect((await stream(room, "eve")).status).toBe(200));
});

test("a stream that dropped takes no more messages, and nothing of it is left", async () => {
  const room = await newHttpRoom();
  const own = await stream(room);
  expect(await room.connections()).toBe(1);
  own.drop();
  await vi.waitFor(async () => expect(await room.connections()).toBe(0));
  expect((await post(room, own.endpoint, PING)).status).toBe(404);
});

test("a client that asks and never reads is dropped before its answers fill the memory", async () => {
  const room = await newHttpRoom();
  const deaf = await new Promise<{ endpoint: string }>((resolve) => {
    const asked = request(new URL("/sse", room.url), { agent: false }, (response) => {
      response.once("data", (chunk) => {
        response.pause();
        resolve({ endpoint: /data: (\S+)/.exec(String(chunk))?.[1] ?? "" });
      });
      response.on("error", () => {});
    });
    asked.on("error", () => {});
    asked.end();
    onTestFinished(() => void asked.destroy());
  });
  const list = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" });
  let status = 202;
  for (let asked = 0; status === 202 && asked < 3_000; asked++) status = (await post(room, deaf.endpoint, list)).status;
  expect(status).toBe(404);
});

test("after it is closed, streams have ended and new ones are refused", async () => {
  const room = await newHttpRoom();
  const own = await stream(room);
  await room.sse.close(900);
  expect((await stream(room)).status).toBe(503);
  expect((await post(room, own.endpoint, PING)).status).toBe(404);
  await wait(50);
  expect(own.text()).toMatch(/^event: endpoint\ndata: \S+\n\n$/);
});
