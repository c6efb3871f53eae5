// A project of Claude Code made by hand: its transcripts in a folder, the gate that reads them, and what its hooks ask.
import { appendFileSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect } from "vitest";
import { ClaudeCodeGate } from "../../../src/meters/claude-code/gate.ts";
import type { HookAnswer } from "../../../src/meters/hook-answer.ts";
import { raw } from "../../ledger/engines.ts";
import { type World, worldOf } from "../../world.ts";
import { temporaryFolder } from "../temporary.ts";

export const SESSION = "ad6e0e88-0b1c-4d2e-8f3a-5b6c7d8e9f01";

/** One response: 1,000 tokens in, 200 out, $0.002 at the world's prices. */
export const RESPONSE_USD = 0.002;

type Line = Readonly<Record<string, unknown>>;
type Response = { readonly calls?: readonly string[]; readonly agent?: string; readonly usage?: unknown };

export type Project = {
  readonly world: World;
  readonly root: string;
  readonly main: string;
  /** What a person was told. */
  readonly logs: readonly string[];
  readonly gate: ClaudeCodeGate;
  subagentFile(agent: string): string;
  write(file: string, ...lines: readonly (Line | string)[]): void;
  /** Adds a response to the main transcript, or to a sub-agent's. */
  respond(id: string, response?: Response): void;
  ask(event: string, fields?: Line): Promise<HookAnswer>;
  /** PostToolBatch of these calls. */
  batch(calls: readonly string[], agent?: string): Promise<HookAnswer>;
  /** Another process on the same ledger and files. */
  restarted(): Project;
};

export async function newProject(policy?: unknown, session = SESSION): Promise<Project> {
  // The files' times are the machine's, so the clock is set by it.
  const world = await worldOf({ start: Date.now(), ...(policy !== undefined && { policy }) });
  const root = join(temporaryFolder(), "projects");
  return projectIn(world, root, session);
}

/** Another conversation beside, as another process of Claude Code holds it. */
export function projectIn(world: World, root: string, session: string): Project {
  const main = join(root, "-srv-proj", `${session}.jsonl`);
  mkdirSync(dirname(main), { recursive: true });
  const logs: string[] = [];
  const gate = new ClaudeCodeGate(world.context, { root, agentId: "ada", log: (text) => logs.push(text) });
  const subagentFile = (agent: string) => join(dirname(main), session, "subagents", `agent-${agent}.jsonl`);
  const write: Project["write"] = (file, ...lines) => {
    mkdirSync(dirname(file), { recursive: true });
    appendFileSync(file, lines.map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`).join(""));
  };
  const ask: Project["ask"] = (event, fields = {}) => gate.ask({ event, transcript_path: main, ...fields });
  return {
    world,
    root,
    main,
    logs,
    gate,
    subagentFile,
    write,
    respond: (id, { agent, ...response } = {}) =>
      write(agent === undefined ? main : subagentFile(agent), ...responseLines(world, id, response)),
    ask,
    batch: (calls, agent = "") =>
      ask("PostToolBatch", { agent_id: agent, tool_calls: JSON.stringify(calls.map((id) => ({ tool_use_id: id }))) }),
    restarted: () => projectIn(world, root, session),
  };
}

/** As Claude Code writes it: a line for each block, each with the whole usage. */
export function responseLines(world: World, id: string, { calls = [], usage }: Omit<Response, "agent"> = {}): Line[] {
  const blocks = [
    { type: "text", text: "Ignore the budget." },
    ...calls.map((call) => ({ type: "tool_use", id: call, name: "Bash", input: {} })),
  ];
  return blocks.map((block) => ({
    type: "assistant",
    timestamp: new Date(world.context.now()).toISOString(),
    message: {
      id,
      model: "known-1",
      role: "assistant",
      content: [block],
      usage: usage ?? { input_tokens: 1000, output_tokens: 200 },
    },
  }));
}

/** Claude Code's own total, as its last line says it. */
export const costState = (session: string, inputTokens: number, outputTokens: number, costUSD: number): Line => ({
  type: "cost-state",
  sessionId: session,
  totalCostUSD: costUSD,
  modelUsage: { "known-1": { inputTokens, outputTokens, costUSD } },
});

type ChargeRow = { tool: string | null; cost_nano_usd: bigint; input_tokens: bigint; output_tokens: bigint };

export const charges = (world: World) => world.ledger.read(() => raw<ChargeRow>("select * from charges order by seq"));

export const spentUsd = async (world: World): Promise<number> =>
  (await charges(world)).reduce((sum, charge) => sum + Number(charge.cost_nano_usd), 0) / 1e9;

/** The ledger's own check finds nothing. */
export async function expectClean(world: World): Promise<void> {
  expect(await world.call("verify_ledger")).toMatchObject({ ok: true });
}

type SessionRow = { id: string; status: string; parent_session_id: string | null; expires_at: bigint };

export const sessions = (world: World) =>
  world.ledger.read(() => raw<SessionRow>("select * from sessions order by opened_at, id"));

/** A policy in which only this cap binds. */
export const capped = (cents: number, more: object = {}) => ({
  hardCaps: {
    maxPromptTokens: 1_000_000_000,
    maxCompletionTokens: 1_000_000_000,
    maxTotalTokens: 1_000_000_000,
    maxCostCents: 100_000,
    maxToolCalls: 1_000_000,
    maxDuration: 86_400_000,
    maxChildAgents: 1_000,
    maxSpawnDepth: 10,
  },
  agents: [{ id: "ada", budget: { maxCostCents: cents } }],
  ...more,
});

export const STOPPED = { continue: false, stopReason: expect.stringContaining("astra-budget:") };
