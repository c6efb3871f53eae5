// Asking once: a work hears the same answers as ever, and the engine each question once.
import { expect, test } from "vitest";
import { askedOnce } from "../../src/ledger/asked-once.ts";
import { all, statement, type Work } from "../../src/ledger/statement.ts";

const stopsOf = statement((db, args: { workspaceId: string; at: bigint | null }) =>
  db.selectFrom("stops").selectAll().where("workspace_id", "=", args.workspaceId).where("created_at", "=", args.at),
);
const grantsOf = statement((db, args: { workspaceId: string; at: bigint | null }) =>
  db.selectFrom("grants").selectAll().where("workspace_id", "=", args.workspaceId).where("created_at", "=", args.at),
);

test("only what differs in its statement or an argument is asked again", () => {
  const questions = [
    [stopsOf, { workspaceId: "a", at: 1n }],
    [grantsOf, { workspaceId: "a", at: 1n }],
    [stopsOf, { workspaceId: "a", at: 1n }],
    [stopsOf, { workspaceId: "a", at: null }],
    [stopsOf, { workspaceId: "b", at: 1n }],
    [grantsOf, { workspaceId: "a", at: 1n }],
  ] as const;
  function* work(): Work<unknown[]> {
    const heard: unknown[] = [];
    for (const [of, args] of questions) heard.push(yield* all(of, args));
    return heard;
  }
  const asking = askedOnce(work());
  const asked: unknown[] = [];
  let step = asking.next();
  while (!step.done) {
    asked.push([step.value.statement, step.value.args]);
    step = asking.next([`answer ${asked.length}`]);
  }
  expect(asked).toEqual([questions[0], questions[1], questions[3], questions[4]]);
  expect(step.value).toEqual([1, 2, 1, 3, 4, 2].map((i) => [`answer ${i}`]));
});

test("what a work throws is thrown", () => {
  // biome-ignore lint/correctness/useYield: it fails before it asks.
  const failing = (function* (): Work<void> {
    throw new Error("no");
  })();
  expect(() => askedOnce(failing).next()).toThrow("no");
});
