// The one error class: a closed union of codes, with texts we wrote ourselves.

/** Every fault of a call. A refusal over budget is not among them: it is a verdict, hence data. */
export type ErrorCode =
  | "invalid_input"
  | "session_not_found"
  | "hold_not_found"
  | "task_not_found"
  | "team_not_found"
  | "not_found"
  | "id_reused"
  | "unauthenticated"
  | "forbidden"
  | "conflict"
  | "policy_invalid"
  | "ledger_busy"
  | "ledger_full"
  | "ledger_read_only"
  | "ledger_corrupt"
  | "ledger_foreign"
  | "ledger_newer"
  | "ledger_unavailable"
  | "internal";

/** One wrong field: where it is (dotted path, "" for the whole) and what was expected there. */
export type Fault = { readonly path: string; readonly message: string };

/** A fault of the call, safe to show to an agent: no third-party text, path or stack is ever in it. */
export class AstraError extends Error {
  readonly code: ErrorCode;
  /** What to do about it, one sentence. */
  readonly hint: string;
  readonly faults: readonly Fault[];

  constructor(code: ErrorCode, message: string, hint = "", faults: readonly Fault[] = []) {
    super(message);
    this.name = "AstraError";
    this.code = code;
    this.hint = hint;
    this.faults = faults;
  }
}
