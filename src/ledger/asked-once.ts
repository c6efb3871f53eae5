// Asking once: inside one snapshot a question that is asked again has the same answer, so that it is not asked again.
import type { Call, Work } from "./statement.ts";

/** The same work with each question sent to the engine once. Only for work that reads: a write changes the answers. */
export function* askedOnce<T>(work: Work<T>): Work<T> {
  const known = new Map<Call["statement"], Map<string, readonly unknown[]>>();
  let step = work.next();
  while (!step.done) {
    const { statement, args } = step.value;
    const answers = known.get(statement) ?? new Map<string, readonly unknown[]>();
    known.set(statement, answers);
    const name = JSON.stringify(args, (_, value) => (typeof value === "bigint" ? `${value}` : value));
    const rows = answers.get(name) ?? (yield step.value);
    answers.set(name, rows);
    step = work.next(rows);
  }
  return step.value;
}
