// Idempotency: what makes two requests the same, and the first answer again for a repeat.
import { AstraError } from "../core/error.ts";
import { type AnswerKey, findAnswer, insertAnswer } from "../ledger/answers.ts";
import type { Work } from "../ledger/statement.ts";
import type { Context } from "./operation.ts";

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

/**
 * Runs the work once per key of its caller; a repeat gets the first answer and writes nothing. Without a key it just
 * runs. Call it inside the write transaction, after it is known that the caller may do this. `kept` is what a repeat
 * gets, where that is less than the answer; null where it shall be decided anew.
 */
export function* once<Answer>(
  context: Context,
  caller: string,
  operation: string,
  args: { readonly idempotency_key?: string | undefined },
  work: () => Work<Answer>,
  kept: (answer: Answer) => Answer | null = (answer) => answer,
): Work<Answer> {
  if (args.idempotency_key === undefined) return yield* work();
  const key: AnswerKey = {
    workspaceId: context.policy.workspace.id,
    caller,
    key: args.idempotency_key,
  };
  const request = `${operation} ${requestText(args)}`;
  const earlier = yield* findAnswer(key);
  if (earlier && earlier.request !== request) throw idReused();
  if (earlier) return JSON.parse(earlier.answer);
  const answer = yield* work();
  const shown = kept(answer);
  if (shown !== null) yield* insertAnswer(key, request, JSON.stringify(shown), context.now());
  return answer;
}
