// The proof: in a folder of its own, a made-up session is asked about within its budget and over it.
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Launch } from "../guard.ts";
import { type Check, fault, ok } from "./check.ts";
import { byCommand, type Conversation, converse } from "./conversation.ts";
import type { Entry } from "./server.ts";

const NAME = "rehearsal";
const SESSION = "00000000-0000-4000-8000-000000000001";
/** A cent: the first response made up costs a fiftieth of it, the second fifteen dollars. */
const POLICY =
  "hardCaps: {maxCostCents: 1, maxPromptTokens: 900000000, maxCompletionTokens: 900000000, maxTotalTokens: 900000000}\n";
const MODEL = "claude-sonnet-5";

/** Asks through the very command that Claude Code starts; `hook` = the hooks' own command, where they have one. */
export async function rehearse(entry: Entry, hook: Launch | null, now: Date): Promise<Check> {
  const folder = mkdtempSync(join(tmpdir(), "astra-budget-rehearsal-"));
  const claude = join(folder, "claude");
  const transcript = join(claude, "projects", "-rehearsal", `${SESSION}.jsonl`);
  mkdirSync(dirname(transcript), { recursive: true });
  const [config, ledger] = [join(folder, "astra.yml"), join(folder, "ledger.db")];
  writeFileSync(config, POLICY);
  const env = { ...environment(entry), CLAUDE_CONFIG_DIR: claude, ASTRA_CONFIG: config, ASTRA_LEDGER: ledger };
  const start = (launch: Launch): Launch => ({
    command: launch.command,
    args: [...withoutPlaces(launch.args), "--config", config, "--ledger", ledger],
  });
  let gate: Conversation | null = null;
  try {
    gate = hook ? byCommand(start(hook), env) : await converse(start(entry), env);
    const within = await asked(gate, transcript, { id: 1, outputTokens: 10, at: now });
    if (stops(within)) return fault(NAME, "a response within the budget was stopped, so all would be", REPORT);
    const over = await asked(gate, transcript, { id: 2, outputTokens: 1_000_000, at: now });
    if (!stops(over)) return fault(NAME, "a response over the budget was not stopped", REPORT);
    return ok(NAME, "a response within a budget of one cent went on, one of $15 over it was stopped");
  } catch (error) {
    return fault(NAME, error instanceof Error ? error.message : String(error), REPORT);
  } finally {
    await gate?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
const REPORT = "Run `astra-budget install claude-code` again; if that does not help, this is a fault of astra-budget.";

/** What Claude Code would give the server: its own environment, and what the entry adds. */
export function environment(entry: Entry): Record<string, string> {
  const own = Object.entries(process.env).filter((each): each is [string, string] => each[1] !== undefined);
  return { ...Object.fromEntries(own), ...entry.env };
}

/** The arguments without the policy and the ledger of this user, which a rehearsal must not touch. */
function withoutPlaces(args: readonly string[]): string[] {
  const isPlace = (arg: string | undefined) => arg === "--config" || arg === "--ledger";
  return args.filter((arg, i) => !isPlace(arg) && !isPlace(args[i - 1]) && !/^--(config|ledger)=/.test(arg));
}

type MadeUp = { readonly id: number; readonly outputTokens: number; readonly at: Date };

/** The response is in the transcript, as it is when Claude Code's tools have run. */
function asked(gate: Conversation, transcript: string, madeUp: MadeUp): Promise<string> {
  appendFileSync(transcript, `${JSON.stringify(responseLine(madeUp))}\n`);
  const call = { tool_name: "Bash", tool_input: {}, tool_use_id: toolUse(madeUp), tool_response: "hi" };
  return gate.ask({
    event: "PostToolBatch",
    session_id: SESSION,
    transcript_path: transcript,
    agent_id: "",
    tool_calls: JSON.stringify([call]),
  });
}

const toolUse = ({ id }: MadeUp): string => `toolu_rehearsal_${id}`;

function responseLine(madeUp: MadeUp): unknown {
  return {
    type: "assistant",
    isSidechain: false,
    sessionId: SESSION,
    version: "2.1.330",
    timestamp: madeUp.at.toISOString(),
    message: {
      id: `msg_rehearsal_${madeUp.id}`,
      role: "assistant",
      model: MODEL,
      stop_reason: "tool_use",
      content: [{ type: "tool_use", id: toolUse(madeUp), name: "Bash", input: {} }],
      usage: { input_tokens: 10, output_tokens: madeUp.outputTokens, service_tier: "standard" },
    },
  };
}

function stops(answer: string): boolean {
  if (answer.trim() === "") return false;
  try {
    return (JSON.parse(answer) as Record<string, unknown>).continue === false;
  } catch {
    throw new Error("the gate answered something that is no JSON");
  }
}
