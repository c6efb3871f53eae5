// The gate of a server that Claude Code has started: made when the first hook asks, closed with the server.
import { AstraError } from "../../core/error.ts";
import { isThreadKnown } from "../../operations/meter-usage.ts";
import type { Context } from "../../operations/operation.ts";
import type { HookAnswer } from "../hook-answer.ts";
import { CLIENT, ClaudeCodeGate } from "./gate.ts";
import { claudeRoot } from "./places.ts";

export type StdioGate = {
  /** Whether what the model uses is metered: its client's hooks ask, and its transcripts are there. */
  readonly isMetering: boolean;
  ask(input: unknown): Promise<HookAnswer>;
  /** Throws where the policy demands that Claude Code be metered and its hooks are not there. */
  admit(): Promise<void>;
  close(): Promise<void>;
};

export function stdioGate(
  context: Context,
  env: Readonly<Record<string, string | undefined>>,
  options: { readonly agentId: string | null; readonly log: (text: string) => void },
): StdioGate {
  const gateOf = () =>
    new ClaudeCodeGate(context, { root: claudeRoot(env), agentId: options.agentId ?? CLIENT, log: options.log });
  let gate: ClaudeCodeGate | null = null;
  return {
    get isMetering() {
      // Of another client's model, transcripts that lie about tell nothing.
      return env.CLAUDECODE !== undefined && gate?.isMetering === true;
    },
    ask: async (input) => {
      gate ??= gateOf();
      const answer = await gate.ask(input);
      // When this one has its answer: nobody waits for what was before.
      setImmediate(() => gate?.reconcile());
      return answer;
    },
    admit: async () => {
      if (gate?.isMetering || context.policy.claudeCode === "optional" || env.CLAUDECODE === undefined) return;
      // Its hooks may ask another process, and a server may be a new one: then the conversation is known.
      const session = env.CLAUDE_CODE_SESSION_ID;
      if (session !== undefined && (await isThreadKnown(context, CLIENT, session))) return;
      throw new AstraError(
        "forbidden",
        "The policy demands that Claude Code be metered, and its hooks are not installed.",
        "Ask a human to run `astra-budget install claude-code` and to restart Claude Code.",
      );
    },
    close: async () => await gate?.close(),
  };
}
