// The pace of shared caps: what was spent of each at two earlier moments of its present window.
import type { Marks, SharedCap } from "../core/cap-pace.ts";
import { all, first, statement, type Work } from "./statement.ts";
import type { CapPaceTable } from "./tables.ts";

const find = statement(
  (
    db,
    args: {
      workspaceId: string;
      scope: string;
      scopeId: string;
      window: string;
      measure: string;
      resetsAt: bigint;
    },
  ) =>
    db
      .selectFrom("cap_pace")
      .selectAll()
      .where("workspace_id", "=", args.workspaceId)
      .where("scope", "=", args.scope)
      .where("scope_id", "=", args.scopeId)
      .where("window_kind", "=", args.window)
      .where("measure", "=", args.measure)
      .where("resets_at", "=", args.resetsAt),
);

/** The marks of the cap's present window, null where there are none yet. */
export function* findMarks(workspaceId: string, cap: SharedCap): Work<Marks | null> {
  const row = yield* first(find, {
    workspaceId,
    scope: cap.scope,
    scopeId: cap.scopeId,
    window: cap.window,
    measure: cap.measure,
    resetsAt: BigInt(cap.resetsAt ?? 0),
  });
  return row
    ? {
        olderAt: Number(row.older_at),
        olderSpent: row.older_spent,
        newerAt: Number(row.newer_at),
        newerSpent: row.newer_spent,
      }
    : null;
}

const put = statement((db, args: { [Column in keyof CapPaceTable]: CapPaceTable[Column] }) => {
  const marks = {
    resets_at: args.resets_at,
    older_at: args.older_at,
    older_spent: args.older_spent,
    newer_at: args.newer_at,
    newer_spent: args.newer_spent,
  };
  return db
    .insertInto("cap_pace")
    .values({
      workspace_id: args.workspace_id,
      scope: args.scope,
      scope_id: args.scope_id,
      window_kind: args.window_kind,
      measure: args.measure,
      ...marks,
    })
    .onConflict((oc) => oc.columns(["workspace_id", "scope", "scope_id", "window_kind", "measure"]).doUpdateSet(marks));
});

/** The cap's balance must be locked. */
export function* putMarks(workspaceId: string, cap: SharedCap, marks: Marks): Work<void> {
  yield* all(put, {
    workspace_id: workspaceId,
    scope: cap.scope,
    scope_id: cap.scopeId,
    window_kind: cap.window,
    measure: cap.measure,
    resets_at: BigInt(cap.resetsAt ?? 0),
    older_at: BigInt(marks.olderAt),
    older_spent: marks.olderSpent,
    newer_at: BigInt(marks.newerAt),
    newer_spent: marks.newerSpent,
  });
}
