// What a model reads before it does anything: few tools, few words, all hints set, the same for every client.
import { expect, test } from "vitest";
import { type ListedTool, legacy, modern, old } from "./clients.ts";
import { newRoom } from "./room.ts";

const TOOLS = ["open_session", "report_usage", "check_budget", "end_session", "get_costs"];
/** Claude Code cuts longer descriptions and instructions off, silently. */
const MOST_CHARACTERS = 2048;

let list: Promise<readonly ListedTool[]> | null = null;

/** The list as the first test saw it. */
function listed(): Promise<readonly ListedTool[]> {
  list ??= modern(newRoom()).then((agent) => agent.tools());
  return list;
}

test("there are the five tools, in the order of their use", async () => {
  expect((await listed()).map((tool) => tool.name)).toEqual(TOOLS);
});

test("the tool list stays under 12 kB", async () => {
  const bytes = Buffer.byteLength(JSON.stringify({ tools: await listed() }));
  expect(bytes).toBeLessThan(12_000);
});

test("the list is the same at every call, in every process and in both eras", async () => {
  const room = newRoom();
  const agents = await Promise.all([modern(room), modern(newRoom()), legacy(room), old()(room)]);
  const lists = await Promise.all([...agents, ...agents].map((agent) => agent.tools()));
  for (const list of lists) expect(JSON.stringify(list)).toBe(JSON.stringify(lists[0]));
});

test("every tool has a title, a description that is not cut off, and all four hints", async () => {
  for (const tool of await listed()) {
    expect(tool.title, tool.name).toMatch(/^[A-Z][a-z ]+$/);
    expect(tool.description?.length, tool.name).toBeGreaterThan(100);
    expect(tool.description?.length, tool.name).toBeLessThan(MOST_CHARACTERS);
    expect(tool.annotations, tool.name).toEqual({
      title: tool.title,
      readOnlyHint: expect.any(Boolean),
      destructiveHint: false,
      idempotentHint: expect.any(Boolean),
      openWorldHint: false,
    });
  }
});

test("the hints say what a repeat does: costs are only read, an end is idempotent, a report only with its key", async () => {
  const hints = Object.fromEntries(
    (await listed()).map(({ name, annotations }) => [name, [annotations?.readOnlyHint, annotations?.idempotentHint]]),
  );
  expect(hints).toMatchObject({
    open_session: [false, false],
    report_usage: [false, false],
    end_session: [false, true],
    get_costs: [true, true],
  });
});

test("every input is a closed object and every output an open one with required fields", async () => {
  for (const tool of await listed()) {
    expect(tool.inputSchema, tool.name).toMatchObject({ type: "object", additionalProperties: false });
    expect(tool.outputSchema, tool.name).toMatchObject({ type: "object", required: expect.any(Array) });
    expect(tool.outputSchema, tool.name).not.toHaveProperty("additionalProperties");
    expect(Object.keys(tool.outputSchema?.properties ?? {})).toEqual(tool.outputSchema?.required);
  }
});

test("the schemas are flat enough for every client: no references, no tuples, no patterns", async () => {
  const text = JSON.stringify(await listed());
  expect(text).not.toMatch(/"(\$ref|\$defs|prefixItems|pattern|patternProperties|allOf|oneOf|not)":/);
});

test("the instructions say when to call what, in a few lines, in both eras", async () => {
  const [first, ...others] = await Promise.all([modern(newRoom()), legacy(newRoom()), old()(newRoom())]);
  const text = first.instructions ?? "";
  expect(text.length).toBeLessThan(MOST_CHARACTERS);
  for (const word of ["open_session", "report_usage", "check_budget", "end_session", "parent_session_id", "deny"])
    expect(text).toContain(word);
  for (const other of others) expect(other.instructions).toBe(text);
});

test("the key of a repeated report is described by what to do, not as unique", async () => {
  const report = (await listed()).find((tool) => tool.name === "report_usage");
  expect(report?.inputSchema).toHaveProperty(
    "properties.idempotency_key.description",
    expect.stringMatching(/same key/),
  );
  expect(JSON.stringify(report)).not.toMatch(/unique/i);
});

test("no limit can be raised by any argument of any tool", async () => {
  const names = JSON.stringify(await listed()).match(/"(set|raise|increase|grant|override)_?\w*":/gi);
  expect(names).toBeNull();
});
