// A client that shows MCP Apps, in a real browser: the app in a sandboxed frame, and the messages between them.
import type { Frame, Page } from "playwright-core";
import { expect, onTestFinished } from "vitest";
import { browser } from "./chromium.ts";

/** What MCP Apps ask of a client for an app that declares no domains. */
const CSP =
  "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "media-src 'self' data:; connect-src 'none'";
const URL = "https://host.test/";
const HOST_PAGE = `<!doctype html>
<html lang="en">
<title>Host</title>
<body style="margin: 0">
<iframe title="app" sandbox="allow-scripts" style="border: 0; width: 100%; height: 700px"></iframe>
<script>
  addEventListener("message", ({ data }) => hear(data));
  const show = (html) => document.querySelector("iframe").setAttribute("srcdoc", html);
  const tell = (message) => frames[0].postMessage(message, "*");
</script>`;

export type Message = {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: unknown;
  readonly error?: unknown;
};

export type AppHost = {
  readonly page: Page;
  readonly app: Frame;
  /** What the app has said so far. */
  readonly heard: readonly Message[];
  /** What went wrong in the browser, and what it asked the network for. */
  readonly mishaps: readonly string[];
  send(message: Message): Promise<void>;
  /** The tool's arguments and its answer, as a client passes them on. */
  pass(input: Record<string, unknown>, result: object): Promise<void>;
  /** Waits for a message of the app. */
  next(method: string): Promise<Message>;
};

export type HostOptions = {
  readonly html: string;
  readonly context?: Record<string, unknown>;
  readonly capabilities?: Record<string, unknown>;
  /** Answers the app's tools/call. */
  readonly call?: (params: Record<string, unknown>) => Promise<object>;
  readonly width?: number;
};

/** The app is greeted when this resolves. */
export async function showApp({
  html,
  context = {},
  capabilities = {},
  call,
  width = 420,
}: HostOptions): Promise<AppHost> {
  const page = await (await browser()).newPage({ viewport: { width, height: 720 }, locale: "en-US" });
  onTestFinished(() => page.close());
  const heard: Message[] = [];
  const mishaps: string[] = [];
  page.on("pageerror", (error) => mishaps.push(String(error)));
  page.on("console", (message) => mishaps.push(message.text()));
  page.on("dialog", (dialog) => {
    mishaps.push(dialog.message());
    void dialog.dismiss();
  });
  page.on("request", (request) => request.url() !== URL && mishaps.push(request.url()));
  await page.route("**", (route) =>
    route.fulfill({ contentType: "text/html", headers: { "content-security-policy": CSP }, body: HOST_PAGE }),
  );
  const inPage = (name: string, value: unknown) => page.evaluate(`${name}(${JSON.stringify(value)})`);
  const send = async (message: Message) => void (await inPage("tell", { jsonrpc: "2.0", ...message }));
  await page.exposeFunction("hear", async (message: Message) => {
    heard.push(message);
    if (message.id === undefined || message.method === undefined) return;
    const { id, method, params = {} } = message;
    if (method === "ui/initialize") {
      const hostInfo = { name: "test", version: "1" };
      const result = { protocolVersion: "2026-01-26", hostInfo, hostCapabilities: capabilities, hostContext: context };
      await send({ id, result });
    } else if (method === "tools/call" && call) {
      await call(params).then(
        (result) => send({ id, result }),
        (error: Error) => send({ id, error: { code: -32_000, message: error.message } }),
      );
    }
  });
  await page.goto(URL);
  await inPage("show", html);
  const next = async (method: string) => {
    await expect.poll(() => heard.some((message) => message.method === method)).toBe(true);
    return heard.findLast((message) => message.method === method) as Message;
  };
  await next("ui/notifications/initialized");
  const app = page.frames()[1] as Frame;
  const pass = async (input: Record<string, unknown>, result: object) => {
    await send({ method: "ui/notifications/tool-input", params: { arguments: input } });
    await send({ method: "ui/notifications/tool-result", params: result as Record<string, unknown> });
  };
  return { page, app, heard, mishaps, send, pass, next };
}
