// Faults of an input in our own words: which argument, what was expected, and what was probably meant.
import { z } from "zod";
import type { Fault } from "../core/error.ts";
import { nearest } from "../core/nearest.ts";
import { quoted } from "../core/plain-text.ts";

/** Every fault that zod found, each with its dotted path. */
export function faultsOf(error: z.ZodError, schema: z.ZodType): Fault[] {
  return error.issues.flatMap((issue) => issueFaults(issue, schema));
}

function issueFaults(issue: z.core.$ZodIssue, schema: z.ZodType): Fault[] {
  const path = issue.path.map(String).join(".");
  if (issue.code === "unrecognized_keys") {
    const known = schema instanceof z.ZodObject && issue.path.length === 0 ? Object.keys(schema.shape) : [];
    return issue.keys.map((key) => {
      const meant = nearest(key, known);
      return { path, message: `unknown argument ${quoted(key)}${meant ? `, did you mean ${meant}?` : ""}` };
    });
  }
  if (issue.code === "invalid_union") return [{ path, message: unionMessage(issue) }];
  if (issue.code === "invalid_value") return [{ path, message: `expected one of ${issue.values.join(", ")}` }];
  return [{ path, message: issue.message.startsWith("expected ") ? issue.message : expectedOf(issue) }];
}

function expectedOf(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_type")
    return issue.input === undefined ? `expected ${issue.expected}; it is missing` : `expected ${issue.expected}`;
  return issue.message;
}

function unionMessage(issue: z.core.$ZodIssueInvalidUnion): string {
  if (issue.message.startsWith("expected ")) return issue.message;
  const messages = issue.errors
    .flat()
    .map((inner) => inner.message)
    .filter((message) => message.startsWith("expected "));
  return [...new Set(messages)].join(", or ") || "expected another kind of value";
}
