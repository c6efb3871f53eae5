// What keeps a meter from finding the true usage, in our words, each with what mends it.

const TEXTS = {
  hook_input: [
    "The hook's input is not in a form that astra-budget knows.",
    "Run `astra-budget install claude-code` again, or update astra-budget.",
  ],
  no_transcript: [
    "Claude Code wrote no transcript of this answer, so its usage cannot be metered.",
    "Turn transcripts on (no CLAUDE_CODE_SKIP_PROMPT_HISTORY, no --no-session-persistence).",
  ],
  foreign_path: [
    "The transcript does not lie in Claude Code's own folder, so it is not read.",
    "Start Claude Code and astra-budget with the same CLAUDE_CONFIG_DIR.",
  ],
  unreadable: [
    "A line of the transcript that should tell usage cannot be read.",
    "Update astra-budget to a version that knows this Claude Code; `astra-budget doctor` says which were tried.",
  ],
  internal: ["The meter failed.", "See the server's standard error output, then run `astra-budget doctor`."],
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
