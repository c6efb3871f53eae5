// The command `hook`: the gate for hooks of type `command`, which give their input on standard input.
import { readOptions, unexpectedWord } from "./faces/options.ts";
import { errorText } from "./faces/terminal-error.ts";
import { CLIENT, ClaudeCodeGate, closedAnswer } from "./meters/claude-code/gate.ts";
import type { HookAnswer } from "./meters/claude-code/hook-answer.ts";
import { claudeRoot } from "./meters/claude-code/places.ts";
import { contextFor, note } from "./start.ts";

const HELP = `Use: astra-budget hook [--config FILE] [--ledger FILE] [--agent ID]

For hooks of Claude Code of type command: reads the hook's input on standard input, books what the transcript tells,
and prints the hook's answer: {} to go on, or what stops the run. \`astra-budget install claude-code\` sets up hooks
that ask the running MCP server instead, which is quicker; take this where a client knows no others.

  --config FILE  the policy (ASTRA_CONFIG; else astra.yml in this folder)
  --ledger FILE  the ledger (ASTRA_LEDGER; else ledger.db in the platform's data directory)
  --agent ID     as whom the work is booked (claude-code)

It ends with 0 whatever it answers: Claude Code takes other codes as orders of its own.`;

/** A hook's input holds the outputs of a batch of tools. */
const MOST_BYTES = 64 * 1024 * 1024;

export async function hookCommand(argv: readonly string[], isHelp: boolean): Promise<number> {
  if (isHelp) {
    process.stdout.write(`${HELP}\n`);
    return 0;
  }
  process.stdout.write(`${JSON.stringify(await answered(await hookInput(), argv))}\n`);
  return 0;
}

/** Undefined where it is no JSON: the gate says what is wrong with that. */
async function hookInput(): Promise<unknown> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of process.stdin) {
    bytes += piece.length;
    if (bytes <= MOST_BYTES) pieces.push(piece);
  }
  try {
    return JSON.parse(Buffer.concat(pieces).toString("utf8"));
  } catch {
    return undefined;
  }
}

/** Options, a policy or a ledger that cannot be used close the gate as well: no other code may reach Claude Code. */
async function answered(input: unknown, argv: readonly string[]): Promise<HookAnswer> {
  const hint = "See astra-budget hook --help.";
  try {
    const { values, words } = readOptions(argv, { agent: "text" }, hint);
    if (words[1] !== undefined) throw unexpectedWord(words[1], hint);
    const context = await contextFor(values);
    const agentId = typeof values.agent === "string" ? values.agent : CLIENT;
    const gate = new ClaudeCodeGate(context, { root: claudeRoot(process.env), agentId, log: note });
    const answer = await gate.ask(input);
    await context.ledger.close();
    return answer;
  } catch (error) {
    note(errorText(error, false).text);
    return closedAnswer(input);
  }
}
