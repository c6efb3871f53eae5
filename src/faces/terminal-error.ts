// The terminal's table of errors: the text on standard error and the exit code of every fault.
import { AstraError, type ErrorCode } from "../core/error.ts";
import { faultText } from "./fault-log.ts";
import { shownJson, shownText } from "./table.ts";

/** 0 done; 1 a check found a difference, or our own fault; 2 wrong arguments or policy; 3 denied by the budget; 4 not found; 5 the ledger. */
const EXIT_CODES = {
  invalid_input: 2,
  policy_invalid: 2,
  id_reused: 2,
  unauthenticated: 2,
  forbidden: 2,
  conflict: 2,
  session_not_found: 4,
  hold_not_found: 4,
  task_not_found: 4,
  team_not_found: 4,
  not_found: 4,
  ledger_busy: 5,
  ledger_full: 5,
  ledger_read_only: 5,
  ledger_corrupt: 5,
  ledger_foreign: 5,
  ledger_newer: 5,
  ledger_unavailable: 5,
  internal: 1,
} as const satisfies Record<ErrorCode, number>;

/** What an operator does about a fault, where that is not what an agent does. */
const OPERATOR_HINTS: Partial<Record<ErrorCode, string>> = {
  session_not_found: "`astra-budget sessions` lists the sessions.",
  ledger_busy: "Try again.",
};

/** An error as standard error shows it (what, where, and how to mend it), and the code to exit with. */
export function errorText(error: unknown, isJson: boolean): { text: string; exitCode: number } {
  const known =
    error instanceof AstraError
      ? error
      : new AstraError("internal", faultText(error), "This is a fault of astra-budget.");
  const { code, message, faults } = known;
  const hint = OPERATOR_HINTS[code] ?? known.hint;
  const exitCode = EXIT_CODES[code];
  if (isJson) return { text: shownJson({ error: { code, message, hint, faults } }), exitCode };
  // The message of a faulty policy has them in it already.
  const listed = code === "policy_invalid" ? [] : faults;
  const lines = [
    `${code}: ${message}`,
    ...listed.map(({ path, message: fault }) => `  ${path === "" ? fault : `${path}: ${fault}`}`),
    hint,
  ];
  return { text: lines.join("\n").split("\n").filter(Boolean).map(shownText).join("\n"), exitCode };
}
