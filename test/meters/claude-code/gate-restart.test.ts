// What outlives a process of the gate: the end of a run, a kill in the middle of it, and the check of the client's own total.
import { appendFileSync, mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { raw } from "../../ledger/engines.ts";
import { temporaryFolder } from "../temporary.ts";
import {
  capped,
  charges,
  costState,
  expectClean,
  newProject,
  type Project,
  projectIn,
  SESSION,
  STOPPED,
  sessions,
  spentUsd,
} from "./project.ts";

/** Longer than an answer takes without waiting, far shorter than the barrier's patience. */
const AT_ONCE_MS = 500;

async function timed<T>(work: Promise<T>): Promise<{ answer: T; ms: number }> {
  const from = performance.now();
  const answer = await work;
  return { answer, ms: performance.now() - from };
}

const bookedBytes = async (project: Project, path = project.main): Promise<number> => {
  const rows = await project.world.ledger.read(() =>
    raw<{ path: string; bytes: bigint }>("select path, bytes from meter_files"),
  );
  return Number(rows.find((row) => row.path === path)?.bytes ?? -1n);
};

const unattributed = async (project: Project) =>
  (await charges(project.world)).filter(({ tool }) => tool === "unattributed");

test("when the client goes, all files are booked and all its sessions are ended", async () => {
  const project = await newProject();
  await project.ask("UserPromptSubmit");
  project.respond("msg_1", { calls: ["a"] });
  await project.batch(["a"]);
  project.respond("msg_2");
  project.respond("msg_3", { agent: "x" });
  const second = join(project.root, "-srv-proj", "second.jsonl");
  await project.gate.ask({ event: "UserPromptSubmit", transcript_path: second });
  await project.gate.close();
  expect(await spentUsd(project.world)).toBeCloseTo(0.006, 9);
  expect((await sessions(project.world)).filter(({ status }) => status === "open")).toEqual([]);
  await expectClean(project.world);
});

test("a server that was killed goes on where it was, and passes its barrier at once", async () => {
  const project = await newProject(capped(1, { warnAt: 1 }));
  await project.ask("UserPromptSubmit");
  for (let nth = 1; nth <= 3; nth++) project.respond(`msg_${nth}`, { calls: [`a${nth}`, `b${nth}`] });
  await project.batch(["a3", "b3"]);
  // What is no response grows the file after the newest one was booked.
  project.write(project.main, { type: "user", message: { content: "x".repeat(1000) } });
  await project.ask("PreToolUse", { tool_use_id: "b3", tool_name: "Bash" });
  project.write(project.main, { type: "user", message: { content: "more" } });

  const second = await timed(project.restarted().batch(["a3", "b3"]));
  expect(second.answer).toEqual({});
  expect(second.ms).toBeLessThan(AT_ONCE_MS);
  project.respond("msg_4", { calls: ["a4"] });
  project.respond("msg_5", { calls: ["a5"] });
  const third = await timed(project.restarted().batch(["a5"]));
  expect(third.answer).toEqual(STOPPED);
  expect(third.ms).toBeLessThan(AT_ONCE_MS);
  expect(await spentUsd(project.world)).toBeCloseTo(0.01, 9);
});

test("the main thread's barrier passes after a kill while its sub-agents worked", async () => {
  const project = await newProject();
  await project.ask("UserPromptSubmit");
  project.respond("msg_1", { calls: ["start_x"] });
  for (let nth = 1; nth <= 3; nth++) {
    project.respond(`msg_x${nth}`, { agent: "x", calls: [`x${nth}`] });
    await project.batch([`x${nth}`], "x");
    project.write(project.main, { type: "progress", nth });
  }
  const { answer, ms } = await timed(project.restarted().batch(["start_x"]));
  expect(answer).toEqual({});
  expect(ms).toBeLessThan(AT_ONCE_MS);
});

test("a process for each hook reads only the newest response again, not all", async () => {
  const project = await newProject();
  for (let nth = 1; nth <= 20; nth++) {
    project.respond(`msg_${nth}`, { calls: [`c${nth}`] });
    expect(await project.restarted().batch([`c${nth}`])).toEqual({});
  }
  const { size } = statSync(project.main);
  expect(await bookedBytes(project)).toBeCloseTo((size * 19) / 20, -2);
  expect(await spentUsd(project.world)).toBeCloseTo(0.04, 9);
});

/** A run of two responses, ended; Claude Code's total is 500 tokens in and 100 out ($0.001) above them. */
async function endedRun(project: Project): Promise<void> {
  await project.ask("UserPromptSubmit");
  project.respond("msg_1", { calls: ["a"] });
  await project.batch(["a"]);
  project.respond("msg_2");
  await project.gate.close();
  project.write(project.main, costState(SESSION, 2500, 500, 0.005));
}

test("what the client used beyond its files is one charge, however often and wherever it is checked", async () => {
  const project = await newProject();
  await endedRun(project);
  for (let nth = 0; nth < 3; nth++) await project.restarted().gate.reconcile();
  await Promise.all([project.restarted().gate.reconcile(), project.restarted().gate.reconcile()]);
  appendFileSync(project.main, "\n");
  await project.restarted().gate.reconcile();
  expect(await unattributed(project)).toMatchObject([
    { input_tokens: 500n, output_tokens: 100n, cost_nano_usd: 1_000_000n },
  ]);
  expect(await spentUsd(project.world)).toBeCloseTo(0.005, 9);
  await expectClean(project.world);
});

test("a total that grows adds what it grew by; one that equals the files adds nothing", async () => {
  const project = await newProject();
  await endedRun(project);
  await project.restarted().gate.reconcile();
  project.write(project.main, costState(SESSION, 3500, 700, 0.007));
  await project.restarted().gate.reconcile();
  expect(await spentUsd(project.world)).toBeCloseTo(0.007, 9);
  const exact = await newProject();
  await exact.ask("UserPromptSubmit");
  exact.respond("msg_1");
  await exact.gate.close();
  exact.write(exact.main, costState(SESSION, 1000, 200, 0.002));
  await exact.restarted().gate.reconcile();
  expect(await unattributed(exact)).toEqual([]);
});

test("a fork repeats its original's responses and its total: both are counted once", async () => {
  const project = await newProject();
  await endedRun(project);
  await project.restarted().gate.reconcile();
  const fork = projectIn(project.world, project.root, "fork");
  await fork.ask("UserPromptSubmit");
  fork.respond("msg_1", { calls: ["a"] });
  fork.respond("msg_2");
  fork.respond("msg_3", { calls: ["b"] });
  await fork.batch(["b"]);
  await fork.gate.close();
  fork.write(fork.main, costState("fork", 3500, 700, 0.007));
  for (let nth = 0; nth < 2; nth++) await project.restarted().gate.reconcile();
  expect(await spentUsd(project.world)).toBeCloseTo(0.007, 9);
  expect(await unattributed(project)).toHaveLength(1);
  await expectClean(project.world);
});

test("responses that came after the last gate of a killed server are booked by the next one", async () => {
  const project = await newProject();
  await project.ask("UserPromptSubmit");
  project.respond("msg_1", { calls: ["a"] });
  await project.batch(["a"]);
  project.respond("msg_2");
  project.respond("msg_3", { agent: "x" });
  await projectIn(project.world, project.root, "other").gate.reconcile();
  expect(await spentUsd(project.world)).toBeCloseTo(0.006, 9);
});

test("a conversation that cannot be read keeps no other from being checked, nor is anything foreign", async () => {
  const project = await newProject();
  await endedRun(project);
  const { ledger, context } = project.world;
  const outside = join(temporaryFolder(), "projects-beside", `${SESSION}.jsonl`);
  const link = join(project.root, "-srv-proj", "link.jsonl");
  mkdirSync(join(outside, ".."));
  writeFileSync(outside, "x");
  symlinkSync(outside, link);
  const { id } = context.policy.workspace;
  for (const path of [outside, link])
    await ledger.write(() => raw(`insert into meter_files values ('${id}', '${path}', 0, ${context.now() + 1})`));
  await ledger.write(() =>
    raw("insert into meter_threads select workspace_id, client, 'link', session_id, since, warned from meter_threads"),
  );
  const next = project.restarted();
  await next.gate.reconcile();
  expect(await spentUsd(project.world)).toBeCloseTo(0.005, 9);
  expect(next.logs).toHaveLength(1);
});
