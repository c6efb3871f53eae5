// Listening: where, and in plain words why not.
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { AstraError } from "../core/error.ts";
import type { ServeSettings } from "./settings.ts";

export async function listen(server: Server, { host, port }: ServeSettings): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(cannotListen(error.code, host, port)));
    server.listen(port, host, resolve);
  });
  server.removeAllListeners("error");
}

const WHY: Readonly<Record<string, string>> = {
  EADDRINUSE: "another program listens there already",
  EADDRNOTAVAIL: "this machine has no such address",
  EACCES: "this user may not listen there",
  ENOTFOUND: "there is no such host",
};

function cannotListen(code: string | undefined, host: string, port: number): AstraError {
  const why = WHY[code ?? ""] ?? "the system refuses it";
  return new AstraError(
    "conflict",
    `Cannot listen on ${host}:${port}: ${why}.`,
    "Choose another with --host and --port.",
  );
}

export function urlOf(server: Server, host: string): URL {
  const { port } = server.address() as AddressInfo;
  return new URL(`http://${host.includes(":") ? `[${host}]` : host}:${port}`);
}
