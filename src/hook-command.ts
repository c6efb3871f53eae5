// The command `hook`: the gate for hooks that start a process, which give their input on standard input.
import { readOptions, unexpectedWord, wrongArguments } from "./faces/options.ts";
import { errorText } from "./faces/terminal-error.ts";
import { CLIENT, ClaudeCodeGate, closedAnswer } from "./meters/claude-code/gate.ts";
import { claudeRoot } from "./meters/claude-code/places.ts";
import { codexHook } from "./meters/codex/hook.ts";
import { geminiHook } from "./meters/gemini/hook.ts";
import type { HookAnswer } from "./meters/hook-answer.ts";
import { askHook, closedHook, type HookClient } from "./meters/hook-gate.ts";
import { opencodeHook } from "./meters/opencode/hook.ts";
import type { Context } from "./operations/operation.ts";
import { contextFor, note } from "./start.ts";

/** A hook's input holds the outputs of a batch of tools. */
const MOST_BYTES = 64 * 1024 * 1024;

export async function hookCommand(argv: readonly string[], isHelp: boolean): Promise<number> {
  if (isHelp) {
    const { HOOK_HELP } = await import("./meters/hook-help.ts");
    process.stdout.write(`${HOOK_HELP}\n`);
    return 0;
  }
  process.stdout.write(`${JSON.stringify(await answered(await hookInput(), argv))}\n`);
  return 0;
}

/** A client's gate for the one hook this process answers. */
type Gate = {
  readonly name: string;
  ask(context: Context, agentId: string, input: unknown): Promise<HookAnswer>;
  /** The answer where nothing can be asked at all. */
  closed(input: unknown): HookAnswer;
};

const CLAUDE_CODE: Gate = {
  name: CLIENT,
  ask: (context, agentId, input) =>
    new ClaudeCodeGate(context, { root: claudeRoot(process.env), agentId, log: note }).ask(input),
  closed: (input) => closedAnswer(input),
};

const GATES: readonly Gate[] = [
  CLAUDE_CODE,
  ...[codexHook(process.env), geminiHook(process.env), opencodeHook].map(gateOf),
];

function gateOf(client: HookClient): Gate {
  return {
    name: client.name,
    ask: (context, agentId, input) => askHook(client, context, { agentId, log: note }, input),
    closed: (input) => closedHook(client, input),
  };
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

/**
 * Options, a policy or a ledger that cannot be used close the gate as well, of whichever client is named: a code to exit
 * with would be taken for an order of the client's own.
 */
async function answered(input: unknown, argv: readonly string[]): Promise<HookAnswer> {
  const hint = "See astra-budget hook --help.";
  const named = argv[argv.indexOf("hook") + 1];
  const gate = GATES.find(({ name }) => name === named) ?? CLAUDE_CODE;
  try {
    const { values, words } = readOptions(argv, { agent: "text" }, hint);
    const [, name = CLIENT, more] = words;
    if (more !== undefined) throw unexpectedWord(more, hint);
    if (name !== gate.name)
      throw wrongArguments(
        [{ path: "CLIENT", message: `expected ${GATES.map((each) => each.name).join(", ")}` }],
        hint,
      );
    const context = await contextFor(values);
    const answer = await gate.ask(context, typeof values.agent === "string" ? values.agent : gate.name, input);
    await context.ledger.close();
    return answer;
  } catch (error) {
    note(errorText(error, false).text);
    return gate.closed(input);
  }
}
