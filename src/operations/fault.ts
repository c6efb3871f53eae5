// Faults of an input in our own words: which argument, what was expected, and what was probably meant.
import { z } from "zod";
import type { Fault } from "../core/error.ts";
import { nearest } from "../core/nearest.ts";
import { quoted } from "../core/plain-text.ts";

/** As many as help; a call can have thousands. */
const MOST_FAULTS = 20;

/** The faults that zod found, each with its dotted path. */
export function faultsOf(error: z.ZodError, schema: z.ZodType): Fault[] {
  const faults = error.issues.flatMap((issue) => issueFaults(issue, schema));
  const rest = faults.length - MOST_FAULTS;
  return rest > 0 ? [...faults.slice(0, MOST_FAULTS), { path: "", message: `and ${rest} more faults` }] : faults;
}

function issueFaults(issue: z.core.$ZodIssue, schema: z.ZodType): Fault[] {
  const path = issue.path.map(String).join(".");
  if (issue.code === "unrecognized_keys") {
    const known = keysAt(schema, issue.path);
    return issue.keys.map((key) => {
      const meant = nearest(key, known);
      return { path, message: `unknown argument ${quoted(key)}${meant ? `, did you mean ${meant}?` : ""}` };
    });
  }
  return [{ path, message: issue.message.startsWith("expected ") ? issue.message : expectedOf(issue) }];
}

/** What was expected where the schema has no words of its own for it. */
function expectedOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_value":
      return `expected one of ${issue.values.join(", ")}`;
    case "invalid_union":
      return unionMessage(issue);
    case "too_big":
      return `expected at most ${issue.maximum} entries`;
    case "invalid_type":
      return `expected ${NOUNS[issue.expected] ?? issue.expected}`;
    default:
      return "expected another value";
  }
}

const NOUNS: Readonly<Record<string, string>> = { array: "a list", object: "an object", string: "a text" };

function unionMessage(issue: z.core.$ZodIssueInvalidUnion): string {
  const messages = issue.errors
    .flat()
    .map((inner) => inner.message)
    .filter((message) => message.startsWith("expected "));
  return [...new Set(messages)].join(", or ") || "expected another kind of value";
}

/** The names that an object somewhere in an input may have. */
function keysAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  const [key, ...rest] = path;
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return keysAt(schema.unwrap(), path);
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => keysAt(option, path));
  if (schema instanceof z.ZodArray) return key === undefined ? [] : keysAt(schema.element, rest);
  if (!(schema instanceof z.ZodObject)) return [];
  if (key === undefined) return Object.keys(schema.shape);
  const inner = schema.shape[String(key)];
  return inner ? keysAt(inner, rest) : [];
}
