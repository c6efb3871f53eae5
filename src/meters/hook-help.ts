// What `hook --help` says: the settings that make each client ask.
import { fileURLToPath } from "node:url";

/** Seconds; longer than the ledger keeps anyone waiting, as these clients go on when a hook's time is up. */
const PATIENCE_S = 60;

type Entry = { readonly command: string; readonly timeout: number };
const group = (entry: Entry) => [{ hooks: [{ type: "command", ...entry }] }];

/** At the events that can stop the client it is also stopped by a hook that cannot be started: that is code 2 to it. */
const closing = (client: string, timeout: number) =>
  group({ command: `astra-budget hook ${client} || exit 2`, timeout });
/** Elsewhere code 2 would make it go on. */
const booking = (client: string, timeout: number) => group({ command: `astra-budget hook ${client}`, timeout });

const CODEX = {
  UserPromptSubmit: closing("codex", PATIENCE_S),
  // A turn may be long, and what it spends others must see; a sub-agent that it starts is blocked then.
  PreToolUse: booking("codex", PATIENCE_S),
  SubagentStop: booking("codex", PATIENCE_S),
  Stop: booking("codex", PATIENCE_S),
};

/** Gemini CLI counts in milliseconds. */
const PATIENCE_MS = PATIENCE_S * 1000;
const GEMINI = {
  BeforeAgent: closing("gemini-cli", PATIENCE_MS),
  BeforeModel: closing("gemini-cli", PATIENCE_MS),
  AfterAgent: booking("gemini-cli", PATIENCE_MS),
};

/** As deep in src/ as in dist/. */
const PLUGIN = fileURLToPath(new URL("../../plugin/opencode/astra-budget.js", import.meta.url));

export const HOOK_HELP = `Use: astra-budget hook [CLIENT] [--config FILE] [--ledger FILE] [--agent ID]

The gate of a coding agent whose hooks start a process: reads the hook's input on standard input, books what the
client's session files tell, and prints the hook's answer: {} to go on, or what stops the run.

  CLIENT         claude-code (which is meant without one), codex, gemini-cli or opencode
  --config FILE  the policy (ASTRA_CONFIG; else astra.yml in this folder)
  --ledger FILE  the ledger (ASTRA_LEDGER; else ledger.db in the platform's data directory)
  --agent ID     as whom the work is booked (the client's name)

It ends with 0 whatever it answers: clients take other codes as orders of their own.

claude-code: \`astra-budget install claude-code\` sets up hooks that ask the running MCP server instead, which is
quicker; take this command where a client knows no others.

codex: ~/.codex/hooks.json, then trust the hooks with /hooks. A turn under way cannot be stopped, the next prompt is.

${settings(CODEX)}

gemini-cli: into ~/.gemini/settings.json. Stops before the next call of a model. (On Windows without \`|| exit 2\`.)

${settings(GEMINI)}

opencode: into opencode.json. Stops after the response that crosses a cap. Options are given by ASTRA_CONFIG and
ASTRA_LEDGER.

{
  "plugin": [${JSON.stringify(PLUGIN)}]
}`;

/** An event a line. */
function settings(hooks: Readonly<Record<string, unknown>>): string {
  const lines = Object.entries(hooks).map(
    ([event, groups]) => `    ${JSON.stringify(event)}: ${JSON.stringify(groups)}`,
  );
  return `{\n  "hooks": {\n${lines.join(",\n")}\n  }\n}`;
}
