// The bare wire: what a server does with lines that no decent client sends, and what it writes to standard output.
import { spawn } from "node:child_process";
import { describe, expect, onTestFinished, test } from "vitest";
import { CLI, newRoom, type Room } from "./room.ts";

type Message = {
  readonly jsonrpc: "2.0";
  readonly id?: unknown;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly code: number; readonly message: string };
};

type Wire = {
  /** Writes bytes or text as they are. */
  raw(bytes: string | Buffer): void;
  /** Sends one message a line and waits for the answer to its id. */
  ask(message: Record<string, unknown> & { id: string | number }): Promise<Message>;
  answerTo(id: string | number): Promise<Message>;
  /** The exit code, once the server is gone. */
  readonly gone: Promise<number | null>;
  /** Ends the server's input and waits until it is gone; answers its exit code. */
  close(): Promise<number | null>;
  /** Every line of standard output so far. */
  lines(): string[];
  stderr(): string;
};

function wire(room: Room): Wire {
  const child = spawn(process.execPath, [CLI, "stdio"], { cwd: room.folder, env: room.env });
  onTestFinished(() => void child.kill("SIGKILL"));
  let stdout = "";
  let stderr = "";
  const waiting = new Set<() => void>();
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    for (const look of waiting) look();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const gone = new Promise<number | null>((resolve) => child.on("close", resolve));
  // A server that is gone, or leaving, reads no more: that is for the test to see, not for the test to break on.
  child.stdin.on("error", () => {});
  const lines = () => stdout.split("\n").slice(0, -1);
  const answerTo = (id: string | number): Promise<Message> =>
    new Promise((resolve, reject) => {
      const look = () => {
        const answer = lines()
          .map((line) => JSON.parse(line) as Message)
          .find((each) => each.id === id);
        if (!answer) return;
        waiting.delete(look);
        resolve(answer);
      };
      waiting.add(look);
      gone.then(() => reject(new Error(`the server is gone:\n${stderr}`)));
      look();
    });
  return {
    raw: (bytes) => void child.stdin.write(bytes),
    ask(message) {
      child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
      return answerTo(message.id);
    },
    answerTo,
    close() {
      child.stdin.end();
      return gone;
    },
    gone,
    lines,
    stderr: () => stderr,
  };
}

const HELLO = {
  method: "initialize",
  params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "raw", version: "1" } },
};
/** What a request of the 2026 revision carries with it. */
const META = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "raw", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": {},
};
const call = (name: string, args: unknown) => ({ method: "tools/call", params: { name, arguments: args } });

async function greeted(): Promise<Wire> {
  const server = wire(newRoom());
  await server.ask({ id: "hello", ...HELLO });
  server.raw('{"jsonrpc":"2.0","method":"notifications/initialized"}\n');
  return server;
}

let pings = 0;

/** Whatever came before, it answers, and all it ever wrote is JSON-RPC. */
async function expectWell(server: Wire, after = ""): Promise<void> {
  const pong = await server.ask({ id: `still there? ${++pings}`, method: "ping" });
  expect(pong.result, after).toEqual({});
  for (const line of server.lines()) expect(JSON.parse(line), after).toMatchObject({ jsonrpc: "2.0" });
  expect(server.stderr(), after).not.toMatch(/\n\s+at /);
}

describe("lines that are no messages", () => {
  const LINES: Record<string, string | Buffer> = {
    "plain text": "hello there\n",
    "half an object": '{"jsonrpc":"2.0","id":1,"method":"pi\n',
    "an empty line": "\n\r\n\n",
    "a number, null and an empty list": "5\nnull\n[]\n",
    "a batch, which no revision since 2025-06-18 has": '[{"jsonrpc":"2.0","id":1,"method":"ping"}]\n',
    "another version of JSON-RPC": '{"jsonrpc":"1.0","id":1,"method":"ping"}\n',
    "an object as id": '{"jsonrpc":"2.0","id":{},"method":"ping"}\n',
    "no method": '{"jsonrpc":"2.0","id":1}\n',
    "an answer to nothing": '{"jsonrpc":"2.0","id":77,"result":{}}\n',
    "an error to nothing": '{"jsonrpc":"2.0","id":77,"error":{"code":1,"message":"\\u001b[2J"}}\n',
    "an unknown notification": '{"jsonrpc":"2.0","method":"notifications/nonsense"}\n',
    "a cancellation of nothing": '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":99}}\n',
    "invalid UTF-8": Buffer.from([0xff, 0xfe, 0x7b, 0xc3, 0x28, 0x0a]),
    "NUL bytes": Buffer.from([0, 0, 0, 0x0a]),
    "a byte order mark": '\ufeff{"jsonrpc":"2.0","method":"notifications/initialized"}\n',
    "a deep nest": `${"[".repeat(100_000)}${"]".repeat(100_000)}\n`,
  };

  test("are passed over, each of them, and the server goes on", async () => {
    const server = await greeted();
    for (const [what, line] of Object.entries(LINES)) {
      server.raw(line);
      await expectWell(server, what);
    }
    expect(await server.close()).toBe(0);
  });

  test("what is wrong is told on standard error in one line, without the client's text", async () => {
    const server = await greeted();
    server.raw('{"jsonrpc":"2.0","id":1,"metod":"secret"}\n');
    await expectWell(server);
    expect(server.stderr()).toContain("astra-budget: ignored a line that is no JSON-RPC message.\n");
    expect(server.stderr()).not.toMatch(/secret|metod|invalid_union/);
  });
});

describe("messages that ask for what is not there", () => {
  test("an unknown tool and wrong params are -32602, an unknown method -32601", async () => {
    const server = await greeted();
    expect((await server.ask({ id: 1, ...call("delete_ledger", {}) })).error?.code).toBe(-32602);
    expect((await server.ask({ id: 2, ...call("open_session", "agent_id=a") })).error?.code).toBe(-32602);
    expect((await server.ask({ id: 3, method: "tools/call", params: { name: 5 } })).error?.code).toBe(-32602);
    expect((await server.ask({ id: 4, method: "ledger/delete" })).error?.code).toBe(-32601);
    expect((await server.ask({ id: 5, method: "prompts/list" })).error?.code).toBe(-32601);
    // In our words: no dump of another library's.
    for (const wrong of [
      call("open_session", []),
      { method: "tools/call" },
      { method: "resources/read", params: { uri: 7 } },
    ])
      expect((await server.ask({ id: 6, ...wrong })).error).toEqual({
        code: -32602,
        message: "The request's params are not what this method takes: an object of its arguments.",
      });

    // Operators' operations are no tools.
    for (const name of ["stop", "resume", "list_sessions", "list_stops", "add_task", "update_task", "verify_ledger"])
      expect((await server.ask({ id: name, ...call(name, {}) })).error?.message).toBe(`Tool ${name} not found`);

    // Nor are names of the prototype.
    for (const name of ["__proto__", "constructor", "toString"])
      expect((await server.ask({ id: name, ...call(name, {}) })).error?.code).toBe(-32602);
    await expectWell(server);
  });
});

describe("sizes and seams", () => {
  test("a request in many pieces, and many requests in one piece, are each answered once", async () => {
    const server = await greeted();
    for (const char of '{"jsonrpc":"2.0","id":"slow","method":"ping"}\n') server.raw(char);
    const many = Array.from({ length: 200 }, (_, id) => `{"jsonrpc":"2.0","id":${id},"method":"ping"}\n`);
    server.raw(many.join(""));
    await expectWell(server);
    const ids = server.lines().map((line) => (JSON.parse(line) as Message).id);
    for (const id of ["slow", ...Array(200).keys()]) expect(ids.filter((each) => each === id)).toEqual([id]);
  });

  test("a piece that ends inside a character keeps the character", async () => {
    const server = await greeted();
    const line = Buffer.from(
      `${JSON.stringify({ jsonrpc: "2.0", id: 1, ...call("open_session", { agent_id: "日本" }) })}\n`,
    );
    const inside = line.indexOf("日") + 1;
    server.raw(line.subarray(0, inside));
    await apart();
    server.raw(line.subarray(inside));
    const answer = await server.answerTo(1);
    expect(answer.result?.structuredContent).toMatchObject({ agent_id: "日本" });
  });

  test("a megabyte of argument is a fault of the call", async () => {
    const server = await greeted();
    const answer = await server.ask({ id: 1, ...call("open_session", { agent_id: "a".repeat(1_000_000) }) });
    expect(answer.result).toMatchObject({ isError: true });
    expect(JSON.stringify(answer).length).toBeLessThan(500);
    await expectWell(server);
  });

  test("a line of 9 MB is passed over", async () => {
    const server = await greeted();
    server.raw(`${"x".repeat(9_000_000)}\n`);
    await expectWell(server);
  });

  test("a line of more than 10 MB ends the connection with a word on standard error, not the machine's memory", async () => {
    const server = await greeted();
    for (let i = 0; i < 12; i++) server.raw("x".repeat(1_000_000));
    expect(await server.gone).toBe(0);
    expect(server.stderr()).toContain("exceeded maximum size");
    for (const line of server.lines()) expect(JSON.parse(line)).toMatchObject({ jsonrpc: "2.0" });
  });

  test("a line that breaks off at the end of input does nothing, and what came before it is kept", async () => {
    const room = newRoom();
    const server = wire(room);
    await server.ask({ id: "hello", ...HELLO });
    await server.ask({ id: 1, ...call("open_session", { agent_id: "kept" }) });
    const broken = JSON.stringify({ jsonrpc: "2.0", id: 2, ...call("open_session", { agent_id: "cut" }) });
    server.raw(broken.slice(0, -3));
    expect(await server.close()).toBe(0);
    const { sessions } = await room.json(["sessions"]);
    expect(sessions).toEqual([expect.objectContaining({ agent_id: "kept" })]);
  });
});

describe("both eras on one connection", () => {
  test("server/discover, then initialize, then work, as Claude Code was seen to do", async () => {
    const server = wire(newRoom());
    const discovered = await server.ask({ id: 1, method: "server/discover", params: { _meta: META } });
    expect(discovered.result?.supportedVersions).toContain("2026-07-28");
    const greeting = await server.ask({ id: 2, ...HELLO });
    expect(greeting.result).toMatchObject({ protocolVersion: "2025-06-18", serverInfo: { name: "astra-budget" } });
    server.raw('{"jsonrpc":"2.0","method":"notifications/initialized"}\n');
    const opened = await server.ask({ id: 3, ...call("open_session", { agent_id: "ada" }) });
    expect(opened.result?.structuredContent).toMatchObject({ status: "open" });
  });

  test("a version of the future is answered with one that both know", async () => {
    const server = wire(newRoom());
    const hello = { ...HELLO, params: { ...HELLO.params, protocolVersion: "2099-01-01" } };
    expect((await server.ask({ id: 1, ...hello })).result).toMatchObject({ protocolVersion: "2025-11-25" });
  });

  test("the server says its name and version, and offers tools, resources and the page", async () => {
    const server = wire(newRoom());
    const { result } = await server.ask({ id: 1, ...HELLO });
    expect(result).toMatchObject({
      serverInfo: { name: "astra-budget", version: expect.stringMatching(/^\d+\.\d+\.\d+$/) },
    });
    expect(Object.keys(result?.capabilities as object)).toEqual(["tools", "resources", "extensions"]);
  });
});

/** Long enough that two writes do not arrive as one. */
const apart = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50));
