// The guard in Claude Code's settings: put in once, taken out without a trace, everything of others as it was.
import fc from "fast-check";
import { expect, test } from "vitest";
import { AstraError } from "../../src/core/error.ts";
import { commandHandlers, EVENTS, SERVER, toolHandlers } from "../../src/setup/guard.ts";
import { withHooks, withoutHooks, withoutServer, withServer } from "../../src/setup/guard-edit.ts";
import { jsonText } from "./json-texts.ts";

const HOOKS = toolHandlers(SERVER);
const LAUNCH = { command: "/usr/bin/node", args: ["/opt/astra-budget/dist/cli.js", "stdio"] };
const source = (text: string) => ({ text, file: "settings.json" });
const read = (text: string) => JSON.parse(text.replace(/^\uFEFF/, ""));

/** Handlers of one event. */
const handlersOf = (text: string, event: string): unknown[] =>
  (read(text).hooks?.[event] ?? []).flatMap((group: { hooks: unknown[] }) => group.hooks);

const FOREIGN = {
  hooks: {
    PostToolBatch: [{ matcher: "Bash", hooks: [{ type: "command", command: "echo hi" }] }],
    SessionStart: [{ hooks: [{ type: "command", command: "date" }] }],
  },
};

test("a file without hooks and servers is, byte for byte, as it was after putting in and taking out", () => {
  fc.assert(
    fc.property(jsonText(), (text) => {
      expect(withoutHooks(source(withHooks(source(text), HOOKS)))).toBe(text);
      expect(withoutServer(source(withServer(source(text), LAUNCH)))).toBe(text);
    }),
    { numRuns: 1_000 },
  );
});

test("in between every key is as before, and putting in again changes nothing", () => {
  fc.assert(
    fc.property(jsonText({ isStrict: true }), (text) => {
      const both = withServer(source(withHooks(source(text), HOOKS)), LAUNCH);
      const { hooks, mcpServers, ...rest } = read(both);
      expect(rest).toEqual(read(text));
      expect(Object.keys(hooks)).toEqual(EVENTS);
      expect(mcpServers).toEqual({ [SERVER]: { type: "stdio", ...LAUNCH } });
      expect(withServer(source(withHooks(source(both), HOOKS)), LAUNCH)).toBe(both);
    }),
    { numRuns: 500 },
  );
});

test.each([
  ["indented", JSON.stringify(FOREIGN, null, 2)],
  ["with tabs", JSON.stringify(FOREIGN, null, "\t")],
  ["on one line", JSON.stringify(FOREIGN)],
])("hooks of others stay, before ours, in a file %s", (_, text) => {
  const put = withHooks(source(text), HOOKS);
  expect(handlersOf(put, "PostToolBatch")).toEqual([{ type: "command", command: "echo hi" }, HOOKS.PostToolBatch]);
  expect(handlersOf(put, "SessionStart")).toEqual([{ type: "command", command: "date" }]);
  expect(withoutHooks(source(put))).toBe(text);
});

/** Hooks of others on any events, ours among them, none of their lists empty. */
const foreignHooks = fc.dictionary(
  fc.constantFrom(...EVENTS, "SessionStart", "Notification"),
  fc.array(
    fc.record({
      matcher: fc.constantFrom("", "Bash", "*"),
      hooks: fc.array(fc.record({ type: fc.constant("command"), command: fc.string() }), {
        minLength: 1,
        maxLength: 3,
      }),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  { minKeys: 1 },
);

test("whatever hooks of others there are, they and their file come back byte for byte", () => {
  fc.assert(
    fc.property(
      foreignHooks,
      fc.constantFrom(0, 1, 2, 4, "\t"),
      fc.constantFrom("\n", "\r\n"),
      (hooks, indent, eol) => {
        const text = JSON.stringify({ a: 1, hooks, z: {} }, null, indent).replaceAll("\n", eol);
        const put = withHooks(source(text), HOOKS);
        for (const event of Object.keys(hooks))
          expect(handlersOf(put, event).slice(0, handlersOf(text, event).length)).toEqual(handlersOf(text, event));
        for (const event of EVENTS) expect(handlersOf(put, event).at(-1)).toEqual(HOOKS[event]);
        expect(withHooks(source(put), HOOKS)).toBe(put);
        expect(withoutHooks(source(put))).toBe(text);
      },
    ),
  );
});

test("an older hook of ours is replaced and never doubled, whichever kind it was", () => {
  const older = { ...HOOKS.Stop, timeout: 60 };
  const text = JSON.stringify({ hooks: { Stop: [{ hooks: [older, { type: "command", command: "x" }, older] }] } });
  const put = withHooks(source(text), HOOKS);
  expect(handlersOf(put, "Stop")).toEqual([{ type: "command", command: "x" }, HOOKS.Stop]);
  const commands = commandHandlers({ command: "node", args: ["cli.js", "hook"] });
  const changed = withHooks(source(put), commands);
  for (const event of EVENTS) expect(handlersOf(changed, event)).toContainEqual(commands[event]);
  expect(changed).not.toContain("mcp_tool");
  expect(read(withHooks(source(changed), HOOKS))).toEqual(read(put));
});

test("a hook that was added to our group is kept when ours is taken out", () => {
  const put = read(withHooks(source("{}"), HOOKS));
  put.hooks.Stop[0].hooks.push({ type: "command", command: "mine" });
  expect(read(withoutHooks(source(JSON.stringify(put))))).toEqual({
    hooks: { Stop: [{ hooks: [{ type: "command", command: "mine" }] }] },
  });
});

test("an older entry of our server is replaced in its place and keeps its environment", () => {
  const older = { type: "stdio", command: "node", args: ["old.js", "stdio"], env: { OPS_SECRET: "x" } };
  const text = JSON.stringify({ mcpServers: { [SERVER]: older, other: {} }, last: 1 }, null, 2);
  const put = read(withServer(source(text), LAUNCH));
  expect(Object.keys(put)).toEqual(["mcpServers", "last"]);
  expect(Object.keys(put.mcpServers)).toEqual([SERVER, "other"]);
  expect(put.mcpServers[SERVER]).toEqual({ ...LAUNCH, type: "stdio", env: { OPS_SECRET: "x" } });
});

test("another's server under our name is neither overwritten nor taken out", () => {
  const text = JSON.stringify({ mcpServers: { [SERVER]: { type: "http", url: "http://127.0.0.1:4747/mcp" } } });
  expect(() => withServer(source(text), LAUNCH)).toThrow("mcpServers.astra-budget: another server has this name");
  expect(withoutServer(source(text))).toBe(text);
});

test.each([
  ["[]", "settings.json:1:1 expected an object { … }"],
  ['{\n  "hooks": []\n}', "settings.json:2:12 hooks: expected an object { … }"],
  ['{"hooks": {"Stop": {}}}', "settings.json:1:20 hooks.Stop: expected a list"],
])("hooks of a kind that Claude Code does not take are a fault with its place: %s", (text, message) => {
  expect(() => withHooks(source(text), HOOKS)).toThrow(AstraError);
  expect(() => withHooks(source(text), HOOKS)).toThrow(message);
});
