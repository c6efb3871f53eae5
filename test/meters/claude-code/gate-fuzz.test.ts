// Hostile hook inputs and transcripts through the gate: always an answer of a known form, nothing outside is looked at,
// nothing of theirs is said again, and the ledger stays right.
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import { fixtureLines } from "../fixtures.ts";
import { spoiltLine } from "../spoilt.ts";
import { temporaryFolder } from "../temporary.ts";
import {
  capped,
  charges,
  costState,
  expectClean,
  newProject,
  type Project,
  projectIn,
  responseLines,
} from "./project.ts";

const RUNS = 200;
const FIXTURE = "claude-code/-home-u-proj/ad6e0e88-0b1c-4d2e-8f3a-5b6c7d8e9f01";
const LINES = [...fixtureLines(`${FIXTURE}.jsonl`), ...fixtureLines(`${FIXTURE}/subagents/agent-a5540c1d.jsonl`)];

/** In every text that the fuzzing makes up; no answer may hold it. */
const MARK = "zqx";
const EVENTS = ["UserPromptSubmit", "PreToolUse", "PostToolBatch", "SubagentStart", "SubagentStop", "Stop"] as const;

const reason = z.string().startsWith("astra-budget: ").max(1_000);
const denied = z.strictObject({
  hookEventName: z.literal("PreToolUse"),
  permissionDecision: z.literal("deny"),
  permissionDecisionReason: reason,
});
/** All that the gate ever says. */
const known = z.union([
  z.strictObject({}),
  z.strictObject({ continue: z.literal(false), stopReason: reason }),
  z.strictObject({ continue: z.literal(false), stopReason: reason, hookSpecificOutput: denied }),
  z.strictObject({ hookSpecificOutput: denied }),
  z.strictObject({
    decision: z.literal("block"),
    reason,
    hookSpecificOutput: z.strictObject({
      hookEventName: z.literal("UserPromptSubmit"),
      suppressOriginalPrompt: z.literal(true),
    }),
  }),
  z.strictObject({
    hookSpecificOutput: z.strictObject({
      hookEventName: z.enum(["UserPromptSubmit", "PostToolBatch"]),
      additionalContext: reason,
    }),
  }),
]);

const hostileText = fc.oneof(
  fc.string().map((text) => `${MARK} ${text}`),
  fc.constantFrom(`${MARK}\u001b[31m`, `../../${MARK}`, `\u0000${MARK}`, `__proto__${MARK}`, `${MARK}\ud800`, ""),
);
const anything = fc.oneof(hostileText, fc.jsonValue({ maxDepth: 3 }), fc.constant(undefined));

/** Paths of the project, spoilt, and of what lies beside it. */
const anyPath = (project: Project, outside: string) =>
  fc.oneof(
    { weight: 4, arbitrary: fc.constant(project.main) },
    fc.constantFrom(
      outside,
      `${project.root}/../outside/-p/secret.jsonl`,
      join(project.root, "link.jsonl"),
      join(project.root, "-linked", "secret.jsonl"),
      join(project.root, "folder.jsonl"),
      project.subagentFile("x"),
      "/dev/zero",
      "/dev/fd/0.jsonl",
    ),
    hostileText.map((text) => join(project.root, `${text}.jsonl`)),
    anything,
  );

/** The calls are never those of a batch that is waited for: that takes two seconds each. */
const anyInput = (project: Project, outside: string) => {
  const calls = fc.oneof(
    fc.constant("[]"),
    fc.constant([]),
    hostileText,
    fc.array(anything.filter((one) => !isCall(one))),
  );
  const event = fc.oneof({ weight: 8, arbitrary: fc.constantFrom<unknown>(...EVENTS) }, anything);
  const agent = fc.oneof({ weight: 4, arbitrary: fc.constantFrom<unknown>("", "x", "y") }, anything);
  const fields = fc.record(
    {
      event,
      hook_event_name: event,
      transcript_path: anyPath(project, outside),
      agent_id: agent,
      tool_use_id: anything,
      tool_name: fc.oneof(fc.constantFrom("Agent", "Bash"), anything),
      tool_calls: calls,
      prompt: hostileText,
    },
    { requiredKeys: ["event", "transcript_path", "tool_calls"] },
  );
  return fc.oneof({ weight: 9, arbitrary: fields as fc.Arbitrary<unknown> }, anything);
};

const isCall = (value: unknown): boolean => typeof value === "object" && value !== null && "tool_use_id" in value;

async function hostileProject(): Promise<{ project: Project; outside: string }> {
  const project = await newProject(capped(50));
  const folder = join(temporaryFolder(), "outside", "-p");
  const outside = join(folder, "secret.jsonl");
  mkdirSync(folder, { recursive: true });
  const secret = responseLines(project.world, "msg_secret").map((line) => `${JSON.stringify(line)}\n`);
  writeFileSync(outside, secret.join(""));
  symlinkSync(outside, join(project.root, "link.jsonl"));
  symlinkSync(folder, join(project.root, "-linked"));
  mkdirSync(join(project.root, "folder.jsonl"));
  return { project, outside };
}

const isBooked = async (project: Project, input: bigint) =>
  (await charges(project.world)).some((charge) => charge.input_tokens === input);

test("hostile inputs get an answer of a known form, which repeats nothing, and open nothing outside", async () => {
  const { project, outside } = await hostileProject();
  project.respond("msg_1", { calls: ["a"], usage: { input_tokens: 7, output_tokens: 7 } });
  await fc.assert(
    fc.asyncProperty(fc.array(anyInput(project, outside), { minLength: 1, maxLength: 4 }), async (inputs) => {
      // At once, as parallel threads ask.
      for (const answer of await Promise.all(inputs.map((input) => project.gate.ask(input)))) {
        expect(known.safeParse(answer).success, JSON.stringify(answer)).toBe(true);
        expect(JSON.stringify(answer)).not.toContain(MARK);
      }
    }),
    { numRuns: RUNS },
  );
  await project.gate.close();
  expect(await isBooked(project, 7n)).toBe(true);
  expect(await isBooked(project, 1000n)).toBe(false);
  await expectClean(project.world);
});

test("hostile transcripts get one too, whatever grows in whichever file and whoever reads on", async () => {
  const line = fc.oneof(
    spoiltLine(LINES),
    spoiltLine([Buffer.from(JSON.stringify(costState("s", 10, 10, 0.5)))]),
    fc
      .string()
      .map((text) => Buffer.from(`{"type":"assistant","message":{"model":"${MARK}","x":${JSON.stringify(text)}}}`)),
  );
  const step = fc.record({
    file: fc.constantFrom("main", "x", "y"),
    lines: fc.array(line, { maxLength: 4 }),
    event: fc.constantFrom(...EVENTS),
    agent: fc.constantFrom("", "x", "y"),
    after: fc.constantFrom("go on", "go on", "restart", "empty the file", "reconcile"),
  });
  let nth = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
      const { world, root } = await newProject(capped(50));
      let project = projectIn(world, root, `s${++nth}`);
      for (const { file, lines, event, agent, after } of steps) {
        const path = file === "main" ? project.main : project.subagentFile(file);
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, Buffer.concat(lines.flatMap((one) => [one, Buffer.from("\n")])), { flag: "a" });
        const answer = await project.ask(event, { agent_id: agent, tool_calls: [] });
        expect(known.safeParse(answer).success, JSON.stringify(answer)).toBe(true);
        expect(JSON.stringify(answer)).not.toContain(MARK);
        if (after === "restart") project = project.restarted();
        if (after === "empty the file") writeFileSync(path, "");
        if (after === "reconcile") await project.restarted().gate.reconcile();
      }
      await project.gate.close();
      expect(project.logs.join("\n")).not.toMatch(/Error|at .*\.ts/);
      await expectClean(world);
      await world.ledger.close();
    }),
    { numRuns: RUNS / 4 },
  );
});
