// Checks the raw data of astra.yml against its shape and its cross references and collects every fault in our words.
import type { z } from "zod";
import { nearest } from "./nearest.ts";
import { quoted, shown } from "./plain-text.ts";
import { type PolicyFile, policyFile } from "./policy-file.ts";
import { type PlacedFault, referenceFaults } from "./policy-reference.ts";
import { knownKeysAt } from "./policy-schema.ts";

type Path = readonly (string | number)[];

/** The checked file (null when anything is wrong) and all faults, each once, in no particular order. */
export type PolicyCheck = { readonly file: PolicyFile | null; readonly faults: readonly PlacedFault[] };

export function checkPolicy(raw: unknown): PolicyCheck {
  const parsed = policyFile.safeParse(raw);
  const shape = parsed.success ? [] : parsed.error.issues.flatMap((issue) => faultsOf(issue, raw));
  const faults = unique([...shape, ...referenceFaults(raw)]);
  return { file: parsed.success && faults.length === 0 ? parsed.data : null, faults };
}

/** A path as people write it: `agents[0].budget.maxToolCalls`, `prices["gpt-4.1"].inputUsd`; "" for the whole. */
export function pathText(path: Path): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else if (/^[A-Za-z_][\w-]*$/.test(part) && part.length <= 60) text += text === "" ? part : `.${part}`;
    else text += `[${quoted(part)}]`;
  }
  return text;
}

/** Our messages say what is expected; what was found instead is put before it here. */
function faultsOf(issue: z.core.$ZodIssue, raw: unknown): PlacedFault[] {
  const path = issue.path.map((part) => (typeof part === "number" ? part : String(part)));
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => ({
        path: [...path, key],
        at: "key",
        message: unknownKey(key, knownKeysAt(path)),
      }));
    case "invalid_key": {
      const key = path.at(-1) ?? "";
      return [{ path, at: "key", message: `found ${shown(key)}, ${issue.issues[0]?.message ?? issue.message}` }];
    }
    default: {
      const found = valueAt(raw, path);
      const wrong = found === MISSING ? "missing" : `found ${shown(found)}`;
      return [{ path, at: "value", message: `${wrong}, ${issue.message}` }];
    }
  }
}

function unknownKey(key: string, known: readonly string[]): string {
  const near = nearest(key, known);
  return `unknown key, expected one of ${known.join(", ")}${near === null ? "" : `; did you mean ${near}?`}`;
}

const MISSING = Symbol("missing");

function valueAt(raw: unknown, path: Path): unknown {
  let value = raw;
  for (const part of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return MISSING;
    value = (value as Record<string | number, unknown>)[part];
  }
  return value;
}

function unique(faults: readonly PlacedFault[]): PlacedFault[] {
  return [...new Map(faults.map((fault) => [`${pathText(fault.path)}\n${fault.message}`, fault])).values()];
}
