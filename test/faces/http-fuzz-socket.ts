// HTTP over bare sockets for the fuzz: any bytes can be sent, and what comes back is read as it stands on the wire.
import { connect, type Socket } from "node:net";

export type Reply = {
  readonly status: number;
  /** Status line and headers. */
  readonly head: string;
  readonly body: string;
};

/** `stream`: an answer that may stay open is left as soon as it has begun. */
export type Sending = { readonly bytes: Buffer; readonly method: string; readonly ends: "stays" | "cut" | "stream" };

/** A server that has not answered by then never will. */
const HANGS_MS = 20_000;
/** How long a stream that may have no end is listened to after its last event. */
const QUIET_MS = 40;

/** One connection, kept alive and made anew when need be; one request at a time. */
export class Line {
  readonly #port: number;
  #socket: Socket | null = null;

  constructor(port: number) {
    this.#port = port;
  }

  /** Null = the server closed the connection without an answer. */
  async send({ bytes, method, ends }: Sending): Promise<Reply | null> {
    const socket = this.#socket ?? connect({ port: this.#port, host: "127.0.0.1", noDelay: true });
    this.#socket = null;
    return await new Promise((resolve, reject) => {
      let seen = "";
      let quiet: NodeJS.Timeout | undefined;
      const done = (outcome: Reply | null | Error, keep: "keep" | "drop") => {
        clearTimeout(hangs);
        clearTimeout(quiet);
        socket.removeAllListeners();
        if (keep === "keep" && this.#socket === null) this.#socket = socket;
        else socket.on("error", () => {}).destroy();
        if (outcome instanceof Error) reject(outcome);
        else resolve(outcome);
      };
      const hangs = setTimeout(() => done(new Error("no answer"), "drop"), HANGS_MS);
      socket.on("data", (data) => {
        seen += data.toString("latin1");
        const { reply, state } = parsed(seen, method);
        if (state === "done")
          done(reply, ends === "cut" || /^connection: close\r?$/im.test(reply?.head ?? "") ? "drop" : "keep");
        else if (reply && isLeft(reply, method, ends)) {
          clearTimeout(quiet);
          quiet = setTimeout(() => done(reply, "drop"), QUIET_MS);
        }
      });
      socket.on("error", () => done(parsed(seen, method).reply, "drop"));
      socket.on("close", () => done(parsed(seen, method).reply, "drop"));
      socket.write(bytes);
      // The rest never comes.
      if (ends === "cut") socket.end();
    });
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = null;
  }
}

/** The answer to a POST is waited for; what else streams may be silent for ever. */
function isLeft({ head, body }: Reply, method: string, ends: Sending["ends"]): boolean {
  if (!/^content-type: text\/event-stream/im.test(head)) return false;
  return method !== "POST" || ends === "stream" || /^data: \{.*\}$/m.test(body);
}

type Parsed = { readonly reply: Reply | null; readonly state: "part" | "done" };

function parsed(seen: string, method: string): Parsed {
  const end = seen.indexOf("\r\n\r\n");
  if (end === -1) return { reply: null, state: "part" };
  const head = seen.slice(0, end);
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0);
  const rest = seen.slice(end + 4);
  if (status >= 100 && status < 200) return parsed(rest, method);
  const text = (body: string) => Buffer.from(body, "latin1").toString("utf8");
  if (method === "HEAD" || status === 204 || status === 304)
    return { reply: { status, head, body: "" }, state: "done" };
  if (/^transfer-encoding: chunked$/im.test(head)) {
    const { body, isWhole } = unchunked(rest);
    return { reply: { status, head, body: text(body) }, state: isWhole ? "done" : "part" };
  }
  const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? Number.POSITIVE_INFINITY);
  return { reply: { status, head, body: text(rest.slice(0, length)) }, state: rest.length >= length ? "done" : "part" };
}

function unchunked(text: string): { body: string; isWhole: boolean } {
  let body = "";
  for (let at = 0; ; ) {
    const line = text.indexOf("\r\n", at);
    if (line === -1) return { body, isWhole: false };
    const size = Number.parseInt(text.slice(at, line), 16);
    if (size === 0) return { body, isWhole: text.startsWith("\r\n", line + 2) };
    body += text.slice(line + 2, line + 2 + size);
    at = line + 4 + size;
    if (at > text.length) return { body, isWhole: false };
  }
}
