// What the dashboard's charts draw: layers upon each other that end at the column's sum.
import fc from "fast-check";
import { expect, test } from "vitest";
import { columnSums, highest, stacked } from "../../../src/faces/dashboard/page/stacking.ts";

test("the whole column comes first, and the first series is the lowest layer", () => {
  const series = [
    { key: "lead", values: [1, 2] },
    { key: "writer", values: [0, 4] },
    { key: "(others)", values: [3, 0] },
  ];
  expect(stacked(series, 2)).toEqual([
    [4, 6],
    [1, 6],
    [1, 2],
  ]);
  expect(columnSums(series, 2)).toEqual([4, 6]);
});

test("every layer is at least as high as the one below, and the highest is the sum", () => {
  const cents = fc.integer({ min: 0, max: 1_000_000 });
  const columns = 5;
  const layers = fc.array(fc.record({ key: fc.string(), values: fc.array(cents, { maxLength: columns }) }), {
    minLength: 1,
  });
  fc.assert(
    fc.property(layers, (series) => {
      const tops = stacked(series, columns);
      expect(tops).toHaveLength(series.length);
      expect(tops[0]).toEqual(columnSums(series, columns));
      for (const [i, top] of tops.slice(1).entries())
        for (let column = 0; column < columns; column++)
          expect(tops[i]?.[column]).toBeGreaterThanOrEqual(top[column] ?? Number.NaN);
    }),
  );
});

test("what is below zero takes no room and pulls no other layer down", () => {
  const series = [
    { key: "refunded", values: [-1] },
    { key: "lead", values: [2] },
  ];
  expect(stacked(series, 1)).toEqual([[2], [0]]);
});

test("the highest column is the first of the largest; of nothing there is none", () => {
  expect(highest([1, 3, 3, 2])).toBe(1);
  expect(highest([0, 0])).toBeNull();
  expect(highest([])).toBeNull();
});
