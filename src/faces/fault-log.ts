// What the operator's log is told of a fault, so that its caller need not be.
import { AstraError } from "../core/error.ts";

/** Our own faults are told to their callers: of them only what lies behind is logged, of all others everything. */
export function logFault(error: unknown, log: (text: string) => void): void {
  if (!(error instanceof AstraError)) log(faultText(error));
  else if (error.cause !== undefined) log(`${error.code}: ${String(error.cause)}`);
}

export function faultText(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
