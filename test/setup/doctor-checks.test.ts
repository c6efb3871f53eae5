// What doctor finds in settings, entries, policies and versions, each fault by its name and with its mend.
import { describe, expect, test } from "vitest";
import { checkPolicyText } from "../../src/config.ts";
import { BUILT_IN_POLICY } from "../../src/core/policy-resolve.ts";
import { type Check, isAtLeast } from "../../src/setup/doctor/check.ts";
import { checkHooks } from "../../src/setup/doctor/hooks.ts";
import { checkLimits } from "../../src/setup/doctor/limits.ts";
import { checkEntry } from "../../src/setup/doctor/server.ts";
import type { ClaudeFiles, JsonFile } from "../../src/setup/doctor/settings.ts";
import { commandHandlers, EVENTS, type Handler, SERVER, toolHandlers } from "../../src/setup/guard.ts";

const faultsOf = (checks: readonly Check[]): string[] =>
  checks.filter(({ state }) => state !== "ok").map(({ state, text }) => `${state}: ${text}`);

describe("hooks", () => {
  const TOOLS = toolHandlers(SERVER);
  type Groups = Record<string, Handler[]>;
  const file = (hooks: Groups, rest = {}): JsonFile => ({ file: "s.json", data: { ...rest, hooks } });
  const whole = (): Groups => Object.fromEntries(EVENTS.map((event) => [event, [{ hooks: [TOOLS[event]] }]]));
  const found = (hooks: Groups, rest = {}) => faultsOf(checkHooks([file(hooks, rest)]).checks);

  test("as install writes them are well, of either kind", () => {
    expect(checkHooks([file(whole())])).toMatchObject({ checks: [{ state: "ok" }], asking: { kind: "mcp_tool" } });
    const start = { command: "node", args: ["cli.js", "hook"] };
    const commands = Object.fromEntries(
      Object.entries(commandHandlers(start)).map(([event, each]) => [event, [{ hooks: [each] }]]),
    );
    const { checks, asking } = checkHooks([file(commands)]);
    expect(faultsOf(checks)).toEqual([]);
    expect(asking).toEqual({ kind: "command", ...start });
  });

  test("in two files together are well", () => {
    const { Stop, ...rest } = whole();
    expect(faultsOf(checkHooks([file(rest), file({ Stop: Stop as Handler[] })]).checks)).toEqual([]);
  });

  test("that lack are named", () => {
    expect(found({})).toEqual(["fault: none is installed"]);
    const { PostToolBatch, ...rest } = whole();
    expect(PostToolBatch).toBeDefined();
    expect(found(rest)).toEqual(["fault: none on PostToolBatch"]);
  });

  test("on a misspelt event do nothing", () => {
    const { PostToolBatch, ...rest } = whole();
    expect(found({ ...rest, PostToolbatch: PostToolBatch as Handler[] })).toEqual([
      'fault: "PostToolbatch" in s.json is no event of the guard\'s, did you mean PostToolBatch?',
      "fault: none on PostToolBatch",
    ]);
  });

  test.each([
    [{ server: "astra_budget" }, 'asks the server "astra_budget", did you mean astra-budget?'],
    [{ tool: "gates" }, 'tool is not as it should be, expected "gate"'],
    [{ onFailure: "continue" }, 'onFailure is not as it should be, expected "block"'],
    [{ timeout: undefined }, "timeout is not as it should be, expected 3 to 30 seconds"],
    [{ timeout: 5000 }, "timeout is not as it should be, expected 3 to 30 seconds"],
    [{ if: "Bash(git *)" }, "if is not as it should be, expected none"],
    [{ input: { event: "PostToolBatch" } }, "input is not as it should be"],
  ])("with %j are a fault", (change, message) => {
    const hooks = whole();
    hooks.PostToolBatch = [{ hooks: [{ ...TOOLS.PostToolBatch, ...change }] }];
    expect(found(hooks)[0]).toContain(message);
  });

  test("for some tools only let the others pass", () => {
    const hooks = whole();
    hooks.PreToolUse = [{ matcher: "Bash", hooks: [TOOLS.PreToolUse] }];
    expect(found(hooks)).toEqual(["fault: PreToolUse in s.json: matcher is not as it should be, expected none"]);
  });

  test.each(["disableAllHooks", "allowManagedHooksOnly"])("that %s switches off are none", (key) => {
    expect(found(whole(), { [key]: true })).toEqual([`fault: ${key} in s.json switches them off`]);
  });

  test("may be the plugin's, but not beside those of the settings", () => {
    const enabled = { enabledPlugins: { "astra-budget@astra-budget": true } };
    expect(checkHooks([file({}, enabled)])).toMatchObject({ checks: [{ state: "ok" }], asking: { kind: "plugin" } });
    expect(found(whole(), enabled)).toEqual(["warning: the plugin and the settings both ask the gate"]);
  });
});

describe("the server's entry", () => {
  const started = { type: "stdio", command: process.execPath, args: ["stdio"], env: { A: "b" } };
  const none: ClaudeFiles = { settings: [], user: null, project: null, faults: [] };
  const withServers = (servers: Record<string, unknown>): JsonFile => ({
    file: "c.json",
    data: { mcpServers: servers },
  });

  test("is found where Claude Code looks first", () => {
    const trusted = { "/w": { hasTrustDialogAccepted: true } };
    const user = { file: "c.json", data: { mcpServers: { [SERVER]: started }, projects: trusted } };
    const project = { file: "p.json", data: { mcpServers: { [SERVER]: { ...started, args: ["x", "stdio"] } } } };
    const settings = [{ file: "l.json", data: { enabledMcpjsonServers: [SERVER] } }];
    expect(checkEntry({ ...none, user }, null, "/w").entry).toMatchObject({ args: ["stdio"], env: { A: "b" } });
    const both = checkEntry({ ...none, user, project, settings }, null, "/w");
    expect(both.entry?.args).toEqual(["x", "stdio"]);
    expect(faultsOf(both.checks)).toEqual([]);
    const here = { file: "c.json", data: { projects: { "/w": { mcpServers: { [SERVER]: started } } } } };
    expect(checkEntry({ ...none, user: here, project, settings }, null, "/w").entry?.args).toEqual(["stdio"]);
  });

  test("of a project must be approved, in a folder that is trusted", () => {
    const project = withServers({ [SERVER]: started });
    const settings = [{ file: "l.json", data: { enabledMcpjsonServers: [SERVER] } }];
    const user = { file: "c.json", data: { projects: { "/w": { hasTrustDialogAccepted: true } } } };
    const states = (files: Partial<ClaudeFiles>, folder: string) =>
      checkEntry({ ...none, project, ...files }, null, folder).checks.map(({ state }) => state);
    expect(states({ settings, user }, "/w/below")).toEqual(["ok"]);
    expect(states({ settings, user }, "/work")).toEqual(["warning"]);
    expect(states({ settings }, "/w")).toEqual(["warning"]);
    expect(states({ user }, "/w")).toEqual(["warning"]);
    const refused = [{ file: "l.json", data: { disabledMcpjsonServers: [SERVER] } }];
    expect(faultsOf(checkEntry({ ...none, project }, null, "/w").checks)).toEqual([
      "warning: this user has not approved the project's server yet",
    ]);
    expect(faultsOf(checkEntry({ ...none, project, settings: refused }, null, "/w").checks)).toEqual([
      "fault: this user refused the project's server, so every prompt is blocked",
    ]);
  });

  test.each([
    [{}, "there is no MCP server astra-budget"],
    [{ [SERVER]: { type: "http", url: "http://127.0.0.1:4747/mcp" } }, "is not started by Claude Code"],
    [{ [SERVER]: { ...started, command: "/no/such/node" } }, "/no/such/node, named in c.json, is not there"],
    [{ [SERVER]: { ...started, command: "no-such-program" } }, "no-such-program, named in c.json, is not there"],
    [
      { [SERVER]: { ...started, args: ["/no/such/cli.js", "stdio"] } },
      "/no/such/cli.js, named in c.json, is not there",
    ],
  ])("%j is a fault", (servers, message) => {
    const { checks, entry } = checkEntry({ ...none, user: withServers(servers) }, null, "/w");
    expect(faultsOf(checks)[0]).toContain(message);
    expect(entry).toBeNull();
  });
});

describe("the policy", () => {
  const limits = (text: string) => faultsOf(checkLimits(checkPolicyText(text, "astra.yml").policy, "astra.yml"));

  test("must be there", () => {
    expect(faultsOf(checkLimits(BUILT_IN_POLICY, null))[0]).toContain("5 minutes or $5");
  });

  test("must let a session last, in time, tokens and tool calls", () => {
    expect(limits("workspace: {id: x}\n")[0]).toContain(
      "maxDuration 5 minutes, maxTotalTokens 600,000, maxPromptTokens 500,000, maxCompletionTokens 100,000, maxToolCalls 100",
    );
    expect(limits("hardCaps: {maxDuration: 7200000}\n")[0]).not.toContain("maxDuration");
  });

  test("is well when what stops a session first is money", () => {
    const caps = "maxDuration: 7200000, maxToolCalls: 900, maxCostCents: 100";
    const tokens = "maxPromptTokens: 9000000, maxCompletionTokens: 9000000, maxTotalTokens: 9000000";
    expect(limits(`hardCaps: {${caps}, ${tokens}}\n`)).toEqual([]);
  });
});

test.each([
  ["v24.1.0", ">=22.18", true],
  ["22.18.0", "22.18", true],
  ["22.9.9", "22.18", false],
  ["2.1.330 (Claude Code)", "2.1.330", true],
  ["2.1.329", "2.1.330", false],
  ["2.2.0", "2.1.330", true],
])("version %s against %s", (version, least, is) => {
  expect(isAtLeast(version, least)).toBe(is);
});
