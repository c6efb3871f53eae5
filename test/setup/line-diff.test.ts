// The diff of a dry run: applied to the old lines it makes the new ones, and it shows little else.
import fc from "fast-check";
import { expect, test } from "vitest";
import { lineDiff } from "../../src/setup/line-diff.ts";

const lines = fc.array(fc.constantFrom("a", "b", "c", "{", "}"), { maxLength: 12 });
const text = (each: readonly string[]): string => each.map((line) => `${line}\n`).join("");

test("lines that go are the old ones' and lines that come are the new ones', in their order", () => {
  fc.assert(
    fc.property(lines, lines, (old, now) => {
      const shown = lineDiff(text(old), text(now));
      const kept = (mark: string) => shown.filter((line) => line.startsWith(mark)).length;
      expect(old.length - kept("-")).toBe(now.length - kept("+"));
      const oldShown = shown.filter((line) => /^[- ][^…]/.test(line)).map((line) => line.slice(1));
      const nowShown = shown.filter((line) => /^[+ ][^…]/.test(line)).map((line) => line.slice(1));
      expect(isWithin(oldShown, old)).toBe(true);
      expect(isWithin(nowShown, now)).toBe(true);
    }),
  );
});

/** In this order, others between them. */
function isWithin(some: readonly string[], all: readonly string[]): boolean {
  let at = 0;
  for (const line of all) if (at < some.length && line === some[at]) at++;
  return at === some.length;
}

test("two lines around each change are shown, and a gap between changes far apart", () => {
  const old = Array.from({ length: 20 }, (_, i) => `line ${i}`);
  const now = old.with(3, "three").with(15, "fifteen");
  expect(lineDiff(text(old), text(now))).toEqual([
    " line 1",
    " line 2",
    "-line 3",
    "+three",
    " line 4",
    " line 5",
    " …",
    " line 13",
    " line 14",
    "-line 15",
    "+fifteen",
    " line 16",
    " line 17",
  ]);
  expect(lineDiff(text(old), text(old))).toEqual([]);
});
