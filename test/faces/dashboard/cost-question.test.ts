// What the costs page is asked: the same from its address as from its choices, and in the words of the routes.
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  ATTRIBUTES,
  addressOf,
  type CostQuestion,
  costsParams,
  questionIn,
  RANGES,
  seriesParams,
} from "../../../src/faces/dashboard/page/cost-question.ts";

const read = (address: string) => questionIn(new URLSearchParams(address));

test("an address without anything asks for 30 days by agent", () => {
  expect(read("")).toEqual({ range: "30d", by: "agent", only: {} });
});

test.each(["range=0d", "range=toString", "range=2026-01-01..", "by=user", "by=", "user=uid_ada", "model="])(
  "what it does not know in an address is as if it were not there: %s",
  (address) => {
    expect(read(address)).toEqual({ range: "30d", by: "agent", only: {} });
  },
);

test("whatever is chosen, its address asks for the same", () => {
  const day = fc
    .date({ min: new Date("2020-01-01"), max: new Date("2030-12-31"), noInvalidDate: true })
    .map((date) => date.toISOString().slice(0, 10));
  const names = Object.keys(RANGES) as (keyof typeof RANGES)[];
  const question: fc.Arbitrary<CostQuestion> = fc.record({
    range: fc.oneof(fc.constantFrom(...names), fc.record({ from: day, to: day })),
    by: fc.constantFrom(...ATTRIBUTES),
    only: fc.dictionary(fc.constantFrom(...ATTRIBUTES), fc.string({ minLength: 1, unit: "grapheme" }), {
      noNullPrototype: true,
    }),
  });
  fc.assert(
    fc.property(question, (asked) => {
      expect(read(new URLSearchParams(addressOf(asked)).toString())).toEqual(asked);
    }),
  );
});

test("the routes are asked in their own words", () => {
  const asked = read("range=2026-01-01..2026-02-03&by=task&agent=lead&team=eng&task=t1&model=m&tool=llm");
  expect(seriesParams(asked)).toEqual({
    start_date: "2026-01-01",
    end_date: "2026-02-03",
    by: "task",
    agent_id: "lead",
    team_id: "eng",
    task_id: "t1",
    model: "m",
    tool: "llm",
  });
  expect(costsParams(asked)).toEqual({
    startDate: "2026-01-01",
    endDate: "2026-02-03",
    agentId: "lead",
    teamId: "eng",
    taskId: "t1",
    model: "m",
    tool: "llm",
    groupBy: "model,team,role,task",
  });
  expect(seriesParams(read("range=month"))).toEqual({ months: 1, by: "agent" });
  expect(costsParams(read("range=today"))).toMatchObject({ days: 1 });
});
