// A mock of the Anthropic API on loopback: it streams what a script says a model answers, and notes who asked what when.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { eventsOf, messageOf, type Reply } from "./mock-message.ts";

export type ToolResult = { readonly tool_use_id: string; readonly content: unknown; readonly is_error?: boolean };

/** One request for a model's answer. */
export type Asked = {
  readonly sessionId: string;
  /** The subagent that asks; null = the main thread. */
  readonly agentId: string | null;
  /** The how-manieth request of its thread, from 1. */
  readonly nth: number;
  readonly model: string;
  /** The names of the tools that the model is offered. */
  readonly tools: readonly string[];
  /** The whole body as text, to look for what reached the model. */
  readonly text: string;
  /** Epoch ms. */
  readonly at: number;
  /** Epoch ms at which the last byte of the answer was handed over; null = not yet, or the client left. */
  answeredAt: number | null;
};

/** What a model answers: scripts compose, see scripts.ts. */
export type Script = (asked: Asked) => Reply | Promise<Reply>;

/** "slow" pauses between the events of an answer, as a real model does, but not before its end. */
export type Pace = "instant" | "slow";
const PAUSE_MS = { least: 60, most: 120 } as const;

export type MockApi = { readonly url: string; readonly requests: readonly Asked[] };

/** Closed when the test is over. */
export async function newMockApi(script: Script, pace: Pace = "instant"): Promise<MockApi> {
  const requests: Asked[] = [];
  const server = createServer(async (request, response) => {
    const text = await textOf(request);
    const path = new URL(request.url ?? "/", "http://mock").pathname;
    if (request.method === "HEAD") return void response.end();
    if (path === "/v1/messages/count_tokens") return json(response, 200, { input_tokens: 100 });
    if (request.method !== "POST" || path !== "/v1/messages") return json(response, 404, NOT_FOUND);
    const asked = read(request, text, requests);
    requests.push(asked);
    const message = messageOf(asked.model, await script(asked));
    if (JSON.parse(text).stream === true) await stream(response, message, pace);
    else json(response, 200, message);
    if (!response.destroyed) asked.answeredAt = Date.now();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

const NOT_FOUND = { type: "error", error: { type: "not_found_error", message: "no such route" } };

async function textOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += chunk;
  return text;
}

function read({ headers }: IncomingMessage, text: string, before: readonly Asked[]): Asked {
  const body = JSON.parse(text) as { model: string; tools?: readonly { name: string }[] };
  const sessionId = String(headers["x-claude-code-session-id"] ?? "");
  const agentId = headers["x-claude-code-agent-id"]?.toString() ?? null;
  const own = before.filter((one) => one.sessionId === sessionId && one.agentId === agentId);
  const tools = (body.tools ?? []).map(({ name }) => name);
  return { sessionId, agentId, nth: own.length + 1, model: body.model, tools, text, at: Date.now(), answeredAt: null };
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

async function stream(response: ServerResponse, message: ReturnType<typeof messageOf>, pace: Pace): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream", "request-id": message.id.replace("msg", "req") });
  for (const event of eventsOf(message)) {
    // A client sees the last block and the end at once: the end must not give a meter time to read the transcript.
    if (pace === "slow" && event.type !== "message_delta" && event.type !== "message_stop") await pause();
    response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  }
  response.end();
}

function pause(): Promise<void> {
  const length = PAUSE_MS.least + Math.random() * (PAUSE_MS.most - PAUSE_MS.least);
  return new Promise((done) => setTimeout(done, length));
}
