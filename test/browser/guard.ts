// Watches the pages of a browser for a test: faults, broken rules, other origins and refusals nobody expected fail it.
import type { BrowserContext, Page } from "playwright-core";
import { expect, onTestFinished } from "vitest";

/** Whoever is not signed in is told so: how the page finds out. */
const USUAL = ["401 GET /auth/session"];
/** The browser's own line about an answer, which is judged by itself. */
const OF_AN_ANSWER = /^Failed to load resource:/;

const REPORT_VIOLATIONS = `addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sample }) =>
  console.error("content security policy:", violatedDirective, blockedURI, sample))`;

/** A first page of the context. */
export async function guard(
  context: BrowserContext,
  origin: string,
  refusals: readonly (string | RegExp)[],
): Promise<Page> {
  const faults: string[] = [];
  onTestFinished(() => expect(faults, "what went wrong in the page").toEqual([]));
  const isOurs = (url: string) => [origin, "null"].includes(new URL(url).origin) || url.startsWith(`blob:${origin}`);
  await context.addInitScript(REPORT_VIOLATIONS);
  const page = await context.newPage();
  context.on("page", (other) => faults.push(`another page: ${other.url()}`));
  context.on("weberror", (error) => faults.push(String(error.error())));
  context.on("dialog", (dialog) => {
    faults.push(`a dialog of the browser: ${dialog.message()}`);
    void dialog.dismiss();
  });
  context.on("console", (message) => {
    if (["error", "warning"].includes(message.type()) && !OF_AN_ANSWER.test(message.text()))
      faults.push(`${message.type()}: ${message.text()}`);
  });
  context.on("request", (request) => {
    if (!isOurs(request.url())) faults.push(`a request to ${request.url()}`);
  });
  context.on("response", (response) => {
    const line = `${response.status()} ${response.request().method()} ${new URL(response.url()).pathname}`;
    const isExpected = [...USUAL, ...refusals].some((each) =>
      typeof each === "string" ? each === line : each.test(line),
    );
    if (response.status() >= 400 && !isExpected) faults.push(line);
  });
  page.on("websocket", (socket) => faults.push(`a socket to ${socket.url()}`));
  return page;
}
