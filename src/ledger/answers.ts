// Answers kept under the idempotency key of their request.
import { all, first, statement, type Work } from "./statement.ts";

/** Who sent which key: keys of different callers never meet. */
export type AnswerKey = { readonly workspaceId: string; readonly caller: string; readonly key: string };

const find = statement((db, args: { workspaceId: string; caller: string; key: string }) =>
  db
    .selectFrom("answers")
    .select(["request", "answer"])
    .where("workspace_id", "=", args.workspaceId)
    .where("caller", "=", args.caller)
    .where("idempotency_key", "=", args.key),
);

/** The first request under the key and its answer, both as JSON texts. */
export function* findAnswer(key: AnswerKey): Work<{ request: string; answer: string } | undefined> {
  return yield* first(find, key);
}

const insert = statement(
  (db, args: { workspaceId: string; caller: string; key: string; request: string; answer: string; at: bigint }) =>
    db.insertInto("answers").values({
      workspace_id: args.workspaceId,
      caller: args.caller,
      idempotency_key: args.key,
      request: args.request,
      answer: args.answer,
      created_at: args.at,
    }),
);

export function* insertAnswer(key: AnswerKey, request: string, answer: string, atMs: number): Work<void> {
  yield* all(insert, { ...key, request, answer, at: BigInt(atMs) });
}
