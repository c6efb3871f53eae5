// A gate that cannot know what was used is closed, unless the policy says otherwise; and it looks nowhere else for it.
import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { raw } from "../../ledger/engines.ts";
import { temporaryFolder } from "../temporary.ts";
import {
  capped,
  expectClean,
  newProject,
  type Project,
  projectIn,
  SESSION,
  STOPPED,
  sessions,
  spentUsd,
} from "./project.ts";

const OPEN = { onMeterFailure: "allow" };
/** A whole batch is waited for two seconds. */
const WAITED_MS = 1_900;

const closedBy = (text: string) => ({ continue: false, stopReason: expect.stringContaining(text) });

describe("without a transcript", () => {
  test("the first batch is stopped, after it was waited for", async () => {
    const project = await newProject();
    const from = performance.now();
    expect(await project.ask("UserPromptSubmit")).toEqual({});
    expect(await project.ask("PreToolUse", { tool_use_id: "a", tool_name: "Bash" })).toEqual({});
    expect(await project.batch(["a"])).toEqual(closedBy("no transcript"));
    expect(performance.now() - from).toBeGreaterThan(WAITED_MS);
    expect(project.gate.isMetering).toBe(false);
  });

  test("from some time on: one late response is taken as a usual one, the next that stays away stops the run", async () => {
    const project = await newProject();
    project.respond("msg_1", { calls: ["a"] });
    expect(await project.batch(["a"])).toEqual({});
    expect(await project.batch(["b"])).toEqual({});
    expect(project.logs).toHaveLength(1);
    expect(await project.batch(["c"])).toEqual(closedBy("no transcript"));
  });

  test("of a session that is continued without being kept, a process for each hook sees it by the file's age", async () => {
    const project = await newProject();
    project.respond("msg_1", { calls: ["a"] });
    expect(await project.batch(["a"])).toEqual({});
    const longAgo = project.world.context.now() / 1000 - 60;
    utimesSync(project.main, longAgo, longAgo);
    expect(await project.restarted().batch(["b"])).toEqual(closedBy("no transcript"));
  });

  test("nothing is metered, also after hooks that do not look for one", async () => {
    const project = await newProject(capped(1, OPEN));
    expect(await project.batch(["a"])).toEqual({});
    expect(project.gate.isMetering).toBe(false);
    await project.ask("PreToolUse", { tool_use_id: "b", tool_name: "mcp__astra-budget__report_usage" });
    expect(project.gate.isMetering).toBe(false);
    project.respond("msg_1", { calls: ["b"] });
    await project.batch(["b"]);
    expect(project.gate.isMetering).toBe(true);
  });

  test("that was merely slow, nothing is stopped", async () => {
    const project = await newProject();
    project.respond("msg_1", { calls: ["a"] });
    expect(await project.batch(["b"])).toEqual({});
    project.respond("msg_2", { calls: ["b"] });
    expect(await project.batch(["c"])).toEqual({});
    project.respond("msg_3", { calls: ["c", "d"] });
    expect(await project.batch(["d"])).toEqual({});
  });

  test("a late response must fit, taken as a usual one", async () => {
    const project = await newProject(capped(0.35));
    project.respond("msg_1", { calls: ["a"] });
    expect(await project.batch(["a"])).toEqual({});
    expect(await project.batch(["b"])).toEqual(closedBy("budget"));
  });

  test("a policy that allows it lets the run go on, but not beyond a cap that is used up", async () => {
    const project = await newProject(capped(0.2, OPEN));
    expect(await project.batch(["a"])).toEqual({});
    const other = projectIn(project.world, project.root, "other");
    other.respond("msg_1", { calls: ["x"] });
    expect(await other.batch(["x"])).toEqual(STOPPED);
  });
});

describe("a line that should tell usage and does not", () => {
  const DAMAGED = [
    ["no usage", { type: "assistant", message: { id: "msg_1", model: "known-1" } }],
    ["a count that is none", { type: "assistant", message: { id: "msg_1", model: "m", usage: { input_tokens: -1 } } }],
    ["no JSON", `{"type":"assistant","message":`],
    ["a total that is none", { type: "cost-state", totalCostUSD: "much" }],
    ["a total beyond all reason", { type: "cost-state", sessionId: SESSION, totalCostUSD: 1e12, modelUsage: {} }],
  ] as const;

  test.each(DAMAGED)("stops the run: %s", async (_, line) => {
    const project = await newProject();
    project.write(project.main, line);
    project.respond("msg_2", { calls: ["a"] });
    expect(await project.batch(["a"])).toEqual(closedBy("cannot be read"));
    expect(await spentUsd(project.world)).toBe(0.002);
    expect(await project.batch(["a"])).toEqual({});
  });

  test("found at an event that stops nothing, or by a sub-agent, stops the main thread all the same", async () => {
    const project = await newProject();
    project.respond("msg_1");
    project.write(project.main, DAMAGED[0][1]);
    expect(await project.ask("Stop")).toEqual({});
    project.respond("msg_2", { agent: "x", calls: ["a"] });
    expect(await project.batch(["a"], "x")).toEqual(closedBy("cannot be read"));
    expect(await project.ask("UserPromptSubmit")).toMatchObject({ decision: "block" });
    expect(await project.ask("UserPromptSubmit")).toEqual({});
  });

  test("a policy that allows it still holds the cap", async () => {
    const project = await newProject(capped(0.2, OPEN));
    project.write(project.main, DAMAGED[0][1]);
    expect(await project.ask("UserPromptSubmit")).toEqual({});
    project.write(project.main, DAMAGED[0][1]);
    project.respond("msg_2", { calls: ["a"] });
    expect(await project.batch(["a"])).toEqual(closedBy("budget"));
  });
});

describe("an input that cannot be read", () => {
  const INPUTS: readonly (readonly [string, unknown])[] = [
    ["nothing", undefined],
    ["a text", "PostToolBatch"],
    ["a list", []],
    ["no event", { transcript_path: "/x.jsonl" }],
    ["an event that is no text", { event: 5 }],
    ["no transcript", { event: "PostToolBatch", tool_calls: "[]" }],
    ["calls that are no list", { event: "PostToolBatch", transcript_path: "/x.jsonl", tool_calls: "{}" }],
    ["calls without ids", { event: "PostToolBatch", transcript_path: "/x.jsonl", tool_calls: [{}] }],
    [
      "an agent that is no id",
      { event: "PostToolBatch", transcript_path: "/x.jsonl", agent_id: "../x", tool_calls: [] },
    ],
  ];

  test.each(INPUTS)("stops the run: %s", async (_, input) => {
    const project = await newProject();
    expect(await project.gate.ask(input)).toEqual(closedBy("not in a form"));
    const open = await newProject(OPEN);
    expect(await open.gate.ask(input)).toEqual({});
  });

  test("of an event that is not asked about is let through, and nothing is read for it", async () => {
    const project = await newProject();
    expect(await project.ask("SessionEnd")).toEqual({});
    expect(await sessions(project.world)).toEqual([]);
  });
});

describe("a transcript elsewhere", () => {
  /** A folder beside the root with a whole conversation in it. */
  async function foreign(): Promise<{ project: Project; other: Project }> {
    const project = await newProject();
    const other = projectIn(project.world, join(temporaryFolder(), "projects"), SESSION);
    other.respond("msg_foreign", { calls: ["a"] });
    other.respond("msg_sub", { agent: "x", calls: ["b"] });
    return { project, other };
  }

  const elsewhere = (path: string) => ({ event: "PostToolBatch", transcript_path: path, tool_calls: [] });

  test("is not read, whatever its name, and closes the gate", async () => {
    const { project, other } = await foreign();
    symlinkSync(other.main, join(project.root, "link.jsonl"));
    symlinkSync(join(other.root, "-srv-proj"), join(project.root, "-linked"));
    const paths = [
      other.main,
      `${project.root}/../${other.main}`,
      join(project.root, "link.jsonl"),
      join(project.root, "-linked", `${SESSION}.jsonl`),
      `-srv-proj/${SESSION}.jsonl`,
      `${project.root}-beside/x.jsonl`,
      "/etc/passwd",
      "/dev/stdin.jsonl",
      `${project.main}\u0000.jsonl`,
      project.subagentFile("x"),
    ];
    for (const path of paths) expect(await project.gate.ask(elsewhere(path)), path).toEqual(closedBy("own folder"));
    expect(await sessions(project.world)).toEqual([]);
    expect(project.gate.isMetering).toBe(false);
  });

  test("of a sub-agent, reached by a link, is not read either", async () => {
    const { project, other } = await foreign();
    project.respond("msg_1", { calls: ["a"] });
    mkdirSync(join(project.root, "-srv-proj", SESSION));
    symlinkSync(join(other.subagentFile("x"), ".."), join(project.subagentFile("x"), ".."));
    expect(await project.batch(["a"])).toEqual(closedBy("own folder"));
    expect(await spentUsd(project.world)).toBe(0);
  });

  test("keeps no conversation from being booked when the client goes", async () => {
    const { project, other } = await foreign();
    await project.gate.ask(elsewhere(other.main));
    await project.ask("UserPromptSubmit");
    project.respond("msg_1");
    await project.gate.close();
    expect(await spentUsd(project.world)).toBe(0.002);
    expect(await sessions(project.world)).toMatchObject([{ status: "success" }]);
  });
});

test("a ledger that fails closes the gate, and what was read is booked when it is back", async () => {
  const project = await newProject();
  await project.ask("UserPromptSubmit");
  const { ledger } = project.world;
  await ledger.write(() => raw("alter table metered_responses rename to secret_table"));
  project.respond("msg_1", { calls: ["a"] });
  expect(await project.batch(["a"])).toEqual(closedBy("The meter failed"));
  expect(JSON.stringify(await project.batch(["a"]))).not.toMatch(/secret|metered_responses/);
  await ledger.write(() => raw("alter table secret_table rename to metered_responses"));
  expect(await project.batch(["a"])).toEqual({});
  expect(await spentUsd(project.world)).toBe(0.002);
  await expectClean(project.world);
});

test("a transcript that was written anew, shorter than it was, is read from its start", async () => {
  const project = await newProject();
  for (let nth = 1; nth <= 5; nth++) project.respond(`msg_${nth}`, { calls: [`c${nth}`] });
  expect(await project.batch(["c5"])).toEqual({});
  writeFileSync(project.main, "");
  project.respond("msg_6", { calls: ["c6"] });
  const from = performance.now();
  expect(await project.batch(["c6"])).toEqual({});
  expect(performance.now() - from).toBeLessThan(500);
  expect(await spentUsd(project.world)).toBeCloseTo(0.012, 9);
});
