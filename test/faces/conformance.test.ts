// The protocol's own conformance suite and the Inspector's command line, as child processes against the built server.
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { conformanceServer } from "./conformance-server.ts";
import { newHttpRoom } from "./http-room.ts";
import { commandOf, runCommand } from "./package-command.ts";
import { newRoom } from "./room.ts";
import { type ServerProcess, startServer } from "./server-process.ts";

const require = createRequire(import.meta.url);
const SUITE = commandOf(require.resolve("@modelcontextprotocol/conformance/package.json"));
const INSPECTOR = commandOf(require.resolve("@modelcontextprotocol/inspector/package.json"));
const EXPECTED = fileURLToPath(new URL("./conformance-budget.yml", import.meta.url));

describe.each(["2026-07-28", "2025-11-25"])("the suite's requirements of %s", (revision) => {
  test("hold for the suite's own server in our face, every one", { timeout: 120_000 }, async () => {
    const room = await newHttpRoom({ factory: conformanceServer });
    const { code, output } = await runCommand(SUITE, ["server", "--url", `${room.url}mcp`, "--requirements", revision]);
    expect(code, output.slice(-6_000)).toBe(0);
    const passed = [...output.matchAll(/✓ ([\w-]+): [1-9]\d* passed, 0 failed/g)].map(([, name]) => name);
    const failed = [...output.matchAll(/✗ ([\w-]+): /g)].map(([, name]) => name ?? "");
    expect(passed.length).toBeGreaterThanOrEqual(revision === "2026-07-28" ? 40 : 32);
    // Tasks are an extension that neither we nor the SDK offer; the suite runs them without counting them.
    expect(failed.filter((name) => !name.startsWith("tasks-"))).toEqual([]);
    expect(room.logged).toEqual([]);
  });
});

/** What holds for any server, whatever it offers. */
const OF_ANY = {
  "2026-07-28": [
    "tools-list",
    "resources-list",
    "caching",
    "dns-rebinding-protection",
    "http-header-validation",
    "sep-2164-resource-not-found",
    "server-sse-multiple-streams",
    "input-required-result-unsupported-methods",
    "input-required-result-validate-input",
  ],
  "2025-11-25": [
    "server-initialize",
    "server-session-lifecycle",
    "ping",
    "tools-list",
    "resources-list",
    "dns-rebinding-protection",
    "server-sse-multiple-streams",
  ],
};

describe.each(Object.entries(OF_ANY))("the built server, by %s", (revision, scenarios) => {
  test.each(scenarios)("conforms: %s", async (scenario) => {
    const room = newRoom();
    // The suite sends no credential.
    const server = await startServer(room, ["--insecure-no-auth", "--rate-limit", "0"]);
    const args = ["--url", `${server.url}mcp`, "--scenario", scenario, "--spec-version", revision];
    if (scenario === "caching") args.push("--expected-failures", EXPECTED);
    const { code, output } = await runCommand(SUITE, ["server", ...args]);
    expect(code, output.slice(-4_000)).toBe(0);
  });
});

describe.each(["modern", "legacy"])("the Inspector in the %s era", (era) => {
  const inspect = ({ url, ownerKey }: ServerProcess, ...args: string[]) =>
    runCommand(INSPECTOR, [
      "--cli",
      `${url}mcp`,
      "--transport",
      "http",
      "--protocol-era",
      era,
      "--header",
      `Authorization: Bearer ${ownerKey}`,
      "--format",
      "json",
      "-q",
      ...args,
    ]);

  test("lists the tools, finds their schemas portable, and calls one", async () => {
    const room = newRoom();
    const server = await startServer(room);
    const listed = await inspect(server, "--method", "tools/list", "--strict");
    expect(listed.code, listed.output).toBe(0);
    expect(listed.output).toContain('"open_session"');
    const called = await inspect(
      server,
      ...["--method", "tools/call", "--tool-name", "open_session", "--tool-args-json", '{"agent_id":"ada"}'],
    );
    expect(called.code, called.output).toBe(0);
    expect(called.output).toContain('"session_id"');
    const refused = await inspect(
      server,
      ...["--method", "tools/call", "--tool-name", "end_session", "--tool-args-json", '{"session_id":"ses_nobody"}'],
    );
    expect(refused.code, refused.output).toBe(5);
  });

  test("lists and reads the resources", async () => {
    const room = newRoom();
    const server = await startServer(room);
    const listed = await inspect(server, "--method", "resources/list");
    expect(listed.code, listed.output).toBe(0);
    expect(listed.output).toContain("budget://costs/month");
    const read = await inspect(server, "--method", "resources/read", "--uri", "budget://policy");
    expect(read.code, read.output).toBe(0);
    expect(read.output).toContain("hard_caps");
  });
});
