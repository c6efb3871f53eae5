// What an incident was raised for, as its page says it.
import { expect, test } from "vitest";
import { INCIDENT_KINDS as KNOWN } from "../../../src/core/incident.ts";
import { factsOf, INCIDENT_KINDS, words } from "../../../src/faces/dashboard/page/evidence.ts";
import { clockIn } from "../../../src/faces/dashboard/page/format.ts";

const clock = clockIn("Europe/Berlin");

test("dollars are money, counts are numbers, instants are told in the workspace's zone", () => {
  const since = "2026-11-22T23:30:00.000Z";
  expect(factsOf({ spent_usd: 6.5, tokens_in_minute: 120_000, ratio: 2.5, since }, clock)).toEqual([
    { name: "Spent", text: "$6.50" },
    { name: "Tokens in minute", text: (120_000).toLocaleString() },
    { name: "Ratio", text: (2.5).toLocaleString() },
    { name: "Since", text: clock.dateTime(since) },
  ]);
});

test("a cap's numbers are money only where the cap is of money", () => {
  const textsOf = (measure: string) => factsOf({ measure, limit: 10, spent: 9 }, clock).map(({ text }) => text);
  expect(textsOf("cost_usd")).toEqual(["cost_usd", "$10.00", "$9.00"]);
  expect(textsOf("tokens")).toEqual(["tokens", "10", "9"]);
});

test("another session is one to go to; what only looks like one is a text", () => {
  expect(factsOf({ other_session_id: "ses_01abc" }, clock)).toEqual([
    { name: "Other session", text: "ses_01abc", session: "ses_01abc" },
  ]);
  expect(factsOf({ other_session_id: "ses_<b>" }, clock)).toEqual([{ name: "Other session", text: "ses_<b>" }]);
});

test("evidence of a later version is shown all the same", () => {
  expect(factsOf({ list: [1, 2], none: null }, clock)).toEqual([
    { name: "List", text: "[1,2]" },
    { name: "None", text: "null" },
  ]);
  expect(words("")).toBe("");
});

test("every kind of incident can be asked for", () => {
  expect(INCIDENT_KINDS).toEqual([...KNOWN]);
});
