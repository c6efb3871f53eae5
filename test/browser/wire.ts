// A wire between browsers and the server that a test can cut and mend.
import { connect, createServer, type Server, type Socket } from "node:net";
import { onTestFinished } from "vitest";

export type Wire = { readonly url: URL; cut(): void; mend(): void };

export async function newWire({ hostname, port }: URL): Promise<Wire> {
  const ends = new Set<Socket>();
  let isCut = false;
  const cut = () => {
    isCut = true;
    for (const end of ends) end.destroy();
  };
  const keep = (end: Socket, other: Socket) => {
    ends.add(end);
    end.on("error", () => other.destroy()).on("close", () => ends.delete(end) && other.destroy());
    end.pipe(other);
  };
  const server: Server = createServer((near) => {
    if (isCut) return void near.destroy();
    const far = connect(Number(port), hostname);
    keep(near, far);
    keep(far, near);
  });
  await new Promise<void>((listening) => server.listen(0, hostname, listening));
  onTestFinished(() => {
    cut();
    server.close();
  });
  const { port: own } = server.address() as { port: number };
  return {
    url: new URL(`http://${hostname}:${own}/`),
    cut,
    mend: () => {
      isCut = false;
    },
  };
}
