// A receiver of webhooks: a real HTTP server that notes what it is sent, and checks signatures by code of its own.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

export type Received = {
  readonly id: string;
  readonly timestamp: number;
  readonly isSigned: boolean;
  readonly body: { readonly type: string; readonly timestamp: string; readonly data: Record<string, unknown> };
  readonly text: string;
};

export type Receiver = {
  readonly url: string;
  readonly port: number;
  readonly received: readonly Received[];
  close(): Promise<void>;
};

/** 24 bytes and more, as the convention wants it. */
export const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/** The signature by Web Crypto and the words of the convention, not by ours. */
async function isSigned(headers: IncomingMessage["headers"], text: string): Promise<boolean> {
  const [version, signature = ""] = String(headers["webhook-signature"]).split(",");
  const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${text}`;
  const secret = Uint8Array.from(atob(SECRET.slice("whsec_".length)), (char) => char.charCodeAt(0));
  const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
  const bytes = Uint8Array.from(atob(signature), (char) => char.charCodeAt(0));
  return version === "v1" && (await crypto.subtle.verify("HMAC", key, bytes, new TextEncoder().encode(signed)));
}

type Answer = (response: ServerResponse, nth: number) => void;

export const ok: Answer = (response) => void response.writeHead(204).end();

/** Closed when the test is over. `answer` is called once what was sent is noted. */
export async function newReceiver(answer: Answer = ok, port = 0): Promise<Receiver> {
  const received: Received[] = [];
  const server: Server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request.setEncoding("utf8")) text += chunk;
    received.push({
      id: String(request.headers["webhook-id"]),
      timestamp: Number(request.headers["webhook-timestamp"]),
      isSigned: await isSigned(request.headers, text),
      body: JSON.parse(text),
      text,
    });
    answer(response, received.length);
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  onTestFinished(close);
  const own = (server.address() as AddressInfo).port;
  return { url: `http://127.0.0.1:${own}/hook`, port: own, received, close };
}
