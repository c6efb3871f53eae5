// The fuzz of HTTP+SSE: one stream for each caller, random messages posted to its own and to others' addresses.
import { get, type IncomingMessage } from "node:http";
import { agentOperations } from "../../src/operations/index.ts";
import { type Asked, type Caller, JSON_TYPE } from "./http-fuzz-asked.ts";
import { judged, type Records } from "./http-fuzz-judge.ts";
import { toolCall } from "./http-fuzz-mcp.ts";
import { Line } from "./http-fuzz-socket.ts";
import { wireOf } from "./http-fuzz-spoilt.ts";
import { hostile, Known, type Random, textOf } from "./http-fuzz-values.ts";

type Stream = { readonly caller: Caller; readonly address: string; readonly incoming: IncomingMessage; text(): string };

const HELLO = { protocolVersion: "2024-11-05", capabilities: {}, clientInfo: { name: "fuzz", version: "1" } };

export async function fuzzStream(
  server: { readonly port: number },
  callers: readonly Caller[],
  messages: number,
  random: Random,
  records: Records,
): Promise<void> {
  const known = new Known();
  const line = new Line(server.port);
  // Browsers are not let in here: their cookie is none for MCP.
  const isBrowser = ({ headers }: Caller) => headers.some(([name]) => name === "cookie");
  const admitted = callers.filter((caller) => caller.role !== null && !isBrowser(caller));
  const streams = await Promise.all(admitted.map((caller) => opened(server.port, caller)));
  const post = async (to: Stream, caller: Caller, body: string): Promise<number> => {
    const common = { caller, headers: [...caller.headers, JSON_TYPE], framing: "length", stream: "ends" } as const;
    const asked: Asked = { ...common, label: "POST /messages", face: "mcp", method: "POST", target: to.address, body };
    const reply = await line.send({ bytes: wireOf(asked), method: "POST", ends: "stays" });
    if (!reply) throw new Error("closed without an answer");
    judged(asked, reply, records, known);
    return reply.status;
  };
  for (const stream of streams)
    await post(
      stream,
      stream.caller,
      JSON.stringify({ jsonrpc: "2.0", id: "hello", method: "initialize", params: HELLO }),
    );
  for (let i = 0; i < messages; i++) {
    const stream = random.one(streams);
    const tool = random.one(agentOperations);
    const message = toolCall({ random, known, callers: [stream.caller] }, tool, i);
    const isForeign = random.oneIn(10);
    const caller = isForeign ? random.one(callers) : stream.caller;
    const body = random.oneIn(15) ? textOf(hostile(random)).replace(/[^ -\xff]/g, "?") : message;
    const status = await post(stream, caller, body);
    if (status === 202 && caller.name !== stream.caller.name)
      throw new Error(`${caller.name} wrote to a foreign stream`);
    if (status !== 202 || body !== message) continue;
    const answer = await answerOn(stream, i);
    const heard = { status: 200, head: "content-type: application/json", body: answer };
    const asked = { caller, headers: [], label: `${tool.name} sse`, face: "mcp", method: "POST" } as const;
    judged({ ...asked, target: "", body, framing: "length", stream: "ends" }, heard, records, known);
  }
  line.close();
  for (const { incoming } of streams) incoming.destroy();
}

function opened(port: number, caller: Caller): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const request = get({
      port,
      host: "127.0.0.1",
      path: "/sse",
      agent: false,
      headers: Object.fromEntries(caller.headers),
    });
    request.on("error", reject).on("response", (incoming) => {
      let text = "";
      incoming.on("error", () => {});
      incoming.setEncoding("utf8").on("data", (more: string) => {
        text += more;
        const address = /^data: (\/messages\S+)\n/m.exec(text)?.[1];
        if (address) resolve({ caller, address, incoming, text: () => text });
      });
    });
  });
}

async function answerOn(stream: Stream, id: number): Promise<string> {
  for (const from = performance.now(); performance.now() - from < 20_000; ) {
    for (const line of stream.text().split("\n").slice(-60)) {
      if (line.startsWith("data: {") && new RegExp(`"id":${id}[,}]`).test(line)) return line.slice(6);
    }
    await new Promise((done) => setTimeout(done, 1));
  }
  throw new Error(`no answer to message ${id} on the stream of ${stream.caller.name}`);
}
