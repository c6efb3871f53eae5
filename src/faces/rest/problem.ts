// Faults as HTTP answers: RFC 9457 problem documents with our stable codes, and the one table of statuses.
import { AstraError, type ErrorCode, type Fault } from "../../core/error.ts";
import { logFault } from "../fault-log.ts";

/** Faults that only HTTP knows. */
export type HttpCode =
  | "over_budget"
  | "rate_limited"
  | "method_not_allowed"
  | "body_too_large"
  | "unsupported_media_type"
  | "invalid_json"
  | "bad_request"
  | "host_not_allowed"
  | "origin_not_allowed";

/** 402 is the budget and nothing else; 429 is the rate limiter and nothing else. */
export const STATUS = {
  invalid_input: 422,
  session_not_found: 404,
  hold_not_found: 404,
  task_not_found: 404,
  team_not_found: 404,
  not_found: 404,
  id_reused: 409,
  unauthenticated: 401,
  forbidden: 403,
  conflict: 409,
  policy_invalid: 503,
  ledger_busy: 503,
  ledger_full: 507,
  ledger_read_only: 503,
  ledger_corrupt: 503,
  ledger_foreign: 503,
  ledger_newer: 503,
  ledger_unavailable: 503,
  internal: 500,
  over_budget: 402,
  rate_limited: 429,
  method_not_allowed: 405,
  body_too_large: 413,
  unsupported_media_type: 415,
  invalid_json: 400,
  bad_request: 400,
  host_not_allowed: 403,
  origin_not_allowed: 403,
} as const satisfies Record<ErrorCode | HttpCode, number>;

export type ProblemCode = keyof typeof STATUS;

export type Problem = {
  /** `urn:astra-budget:error:` and the code. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly hint?: string;
  readonly faults?: readonly Fault[];
  readonly [extension: string]: unknown;
};

export function problemOf(code: ProblemCode, detail: string, rest: { hint?: string; faults?: readonly Fault[] } = {}) {
  return problem(code, STATUS[code], detail, rest);
}

export function problem(code: string, status: number, detail: string, rest: Record<string, unknown> = {}): Problem {
  const title = code.charAt(0).toUpperCase() + code.slice(1).replaceAll("_", " ");
  return { ...rest, type: `urn:astra-budget:error:${code}`, title, status, detail, code };
}

/** Whatever was thrown, as a problem; what is not ours is logged and answered as an internal fault. */
export function problemFrom(error: unknown, log: (text: string) => void): Problem {
  logFault(error, log);
  if (error instanceof AstraError) {
    const { code, message, hint, faults } = error;
    return problemOf(code, message, { ...(hint ? { hint } : {}), ...(faults.length > 0 ? { faults } : {}) });
  }
  return problemOf("internal", "The server failed; nothing was recorded.", {
    hint: "Repeat the request with the same Idempotency-Key; if it fails again, tell a human.",
  });
}

/** For a path that is there, by another method: RFC 9110 wants to know which. */
export function methodNotAllowed(methods: readonly string[]): Response {
  const allow = methods.join(", ");
  return problemResponse(problemOf("method_not_allowed", `This resource knows ${allow}.`), { allow });
}

export function problemResponse(of: Problem, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(of), {
    status: of.status,
    headers: { "content-type": "application/problem+json", ...headers },
  });
}
