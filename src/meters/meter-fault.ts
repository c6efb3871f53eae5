// What keeps a meter from finding the true usage, in our words, each with what mends it.

const TEXTS = {
  hook_input: [
    "The hook's input is not in a form that astra-budget knows.",
    "Set the hook up anew (`astra-budget install claude-code`; for others see `astra-budget hook --help`), or update astra-budget.",
  ],
  no_transcript: [
    "The client wrote no transcript of this conversation, so its usage cannot be metered.",
    "Turn transcripts on (Claude Code: no CLAUDE_CODE_SKIP_PROMPT_HISTORY, no --no-session-persistence; Codex: no --ephemeral).",
  ],
  foreign_path: [
    "The transcript does not lie in the client's own folder, so it is not read.",
    "Start the client and astra-budget with the same CLAUDE_CONFIG_DIR, CODEX_HOME or GEMINI_CLI_HOME.",
  ],
  unreadable: [
    "A line of the transcript that should tell usage cannot be read.",
    "Update astra-budget to a version that knows this client; `astra-budget doctor` says which were tried.",
  ],
  internal: [
    "The meter failed.",
    "See the standard error output of the server or hook, then run `astra-budget doctor`.",
  ],
} as const;

export type MeterFaultKind = keyof typeof TEXTS;

export class MeterFault extends Error {
  readonly kind: MeterFaultKind;
  readonly hint: string;

  constructor(kind: MeterFaultKind) {
    const [message, hint] = TEXTS[kind];
    super(message);
    this.kind = kind;
    this.hint = hint;
  }
}

/** The fault behind an error, noted for a person: of what nobody foresaw the client is told nothing. */
export function notedFault(error: unknown, log: (text: string) => void): MeterFault {
  if (error instanceof MeterFault) {
    log(`${error.message} ${error.hint}`);
    return error;
  }
  log(String(error instanceof Error ? error.stack : error));
  return new MeterFault("internal");
}
