// The dashboard's files: to anybody, without a key, as small as the browser takes them, and nothing but them.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import { describe, expect, onTestFinished, test } from "vitest";
import { staticFiles } from "../../src/serve/static-files.ts";
import { callerAt, newFolder, newServerRoom, rawRequest } from "./server-room.ts";

const SCRIPT = `console.log("${"long ".repeat(2_000)}");\n`;

/** A server of the files of a folder and nothing else. */
async function servedFrom(folder: string): Promise<URL> {
  const files = staticFiles(folder);
  const listener = getRequestListener((request, node) => {
    const { incoming } = node as HttpBindings as { incoming: IncomingMessage };
    return files(new URL(request.url).pathname, incoming) ?? new Response("elsewhere", { status: 404 });
  });
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

function builtFolder(): string {
  const folder = newFolder();
  writeFileSync(join(folder, "index.html"), "<!doctype html><title>t</title>");
  writeFileSync(join(folder, "app.js"), SCRIPT);
  writeFileSync(join(folder, "style.css"), "body { color: red }");
  writeFileSync(join(folder, "notes.txt"), "not ours to show");
  mkdirSync(join(folder, "deep.js"));
  return folder;
}

describe("the files of the page", () => {
  test("are what the build made, with their types, to whoever asks", async () => {
    const url = await servedFrom(builtFolder());
    const got = async (path: string) => {
      const { status, headers, text } = await callerAt(url, {}).get(path);
      return [status, headers.get("content-type"), text];
    };
    expect(await got("/")).toEqual([200, "text/html; charset=utf-8", "<!doctype html><title>t</title>"]);
    expect(await got("/assets/app.js")).toEqual([200, "text/javascript; charset=utf-8", SCRIPT]);
    expect(await got("/assets/style.css")).toEqual([200, "text/css; charset=utf-8", "body { color: red }"]);
  });

  test.each(["/assets/none.js", "/assets/", "/assets/notes.txt", "/assets/deep.js", "/assets/..%2f..%2fpackage.json"])(
    "are all there is: %s is absent",
    async (path) => {
      const { status, body } = await callerAt(await servedFrom(builtFolder()), {}).get(path);
      expect([status, body.code]).toEqual([404, "not_found"]);
    },
  );

  test("come compressed to a browser that takes it, plain to one that does not", async () => {
    const url = await servedFrom(builtFolder());
    const asked = async (encoding?: string) => {
      const headers = encoding === undefined ? {} : { "accept-encoding": encoding };
      const { headers: got } = await rawRequest(url, "GET", "/assets/app.js", { host: url.host, ...headers });
      return [got.get("content-encoding"), Number(got.get("content-length")) < 1_000, got.get("vary")];
    };
    for (const takes of ["gzip", "gzip, deflate, br", "br;q=1, gzip;q=0.5"])
      expect(await asked(takes), takes).toEqual(["gzip", true, "Accept-Encoding"]);
    for (const not of [undefined, "", "br", "gzip;q=0", "identity, gzip; q=0.0"])
      expect(await asked(not), not).toEqual([null, false, "Accept-Encoding"]);
    expect((await callerAt(url, {}).get("/assets/app.js")).text).toBe(SCRIPT);
  });

  test("are not sent again to who has them, nor to HEAD; other methods are 405", async () => {
    const page = callerAt(await servedFrom(builtFolder()), {});
    const etag = (await page.get("/")).headers.get("etag") ?? "";
    expect(etag).toMatch(/^W\/"[\w-]{22}"$/);
    const again = await page.send("GET", "/", { headers: { "if-none-match": `"x", ${etag}` } });
    expect([again.status, again.text, again.headers.get("etag")]).toEqual([304, "", etag]);
    expect((await page.send("GET", "/assets/app.js", { headers: { "if-none-match": etag } })).status).toBe(200);
    const head = await page.send("HEAD", "/assets/app.js");
    expect([head.status, head.text, head.headers.get("etag")]).toEqual([200, "", expect.stringMatching(/^W/)]);
    const posted = await page.post("/");
    expect([posted.status, posted.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });

  test("say how to be built where they are not, and are there as soon as they are", async () => {
    const folder = newFolder();
    const page = callerAt(await servedFrom(folder), {});
    const { status, body } = await page.get("/");
    expect([status, body.hint]).toEqual([404, expect.stringContaining("npm run build")]);
    writeFileSync(join(folder, "index.html"), "here");
    expect((await page.get("/")).text).toBe("here");
    // Read once: what happens to the folder later does not matter.
    rmSync(join(folder, "index.html"));
    expect((await page.get("/")).text).toBe("here");
  });
});

describe("the server", () => {
  test("answers its page to anybody, uncounted, under a strict policy, and not to other Hosts", async () => {
    const room = await newServerRoom({ settings: { rateLimit: 3 } });
    const anybody = callerAt(room.url, {});
    for (let i = 0; i < 8; i++) {
      const { status, headers } = await anybody.get("/");
      expect([200, 404]).toContain(status);
      expect(headers.get("x-ratelimit-limit")).toBeNull();
    }
    expect((await rawRequest(room.url, "GET", "/", { host: "evil.example" })).status).toBe(403);
    expect(room.logged.at(-1)).toContain(`dashboard at ${room.url.href}`);
  });

  test("says of every file what may run in it, and where", async () => {
    const { headers } = await callerAt(await servedFrom(builtFolder()), {}).get("/");
    const policy = headers.get("content-security-policy") ?? "";
    for (const part of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "trusted-types 'none'"])
      expect(policy.split("; ")).toContain(part);
    expect(policy).not.toContain("unsafe");
    expect(Object.fromEntries(headers)).toMatchObject({
      "cache-control": "no-cache",
      "cross-origin-opener-policy": "same-origin",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
    });
  });
});
