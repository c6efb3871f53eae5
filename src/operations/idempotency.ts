// Idempotency: what makes two requests the same, and the fault of reusing a key for another one.
import { AstraError } from "../core/error.ts";

/** Every argument but the key itself, as one text: two requests are the same when theirs are equal. */
export function requestText(args: Record<string, unknown>): string {
  return JSON.stringify({ ...args, idempotency_key: undefined }, (_, value) =>
    typeof value === "bigint" ? String(value) : value,
  );
}

export function idReused(): AstraError {
  return new AstraError(
    "id_reused",
    "This idempotency_key was used before with other arguments.",
    "Repeat the first call exactly, or use a new key for a new call.",
  );
}
