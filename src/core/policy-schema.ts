// What the zod object of astra.yml says about itself: its JSON Schema, and the keys known at a place of the file.
import { z } from "zod";
import { policyFile } from "./policy-file.ts";

/** JSON Schema (draft 2020-12) of astra.yml for editors; `schema/astra.schema.json` is this as text. */
export function policyJsonSchema(): Record<string, unknown> {
  const { $schema, ...rest } = z.toJSONSchema(policyFile, { io: "input", target: "draft-2020-12" });
  return {
    $schema,
    title: "astra.yml",
    description: "The policy of astra-budget: who may spend how much, on what, and what it costs.",
    ...rest,
  };
}

/** The keys that may stand in the mapping at this path; none where the keys are the operator's own names. */
export function knownKeysAt(path: readonly (string | number)[]): readonly string[] {
  let schema: unknown = policyFile;
  for (const segment of path) {
    const outer = unwrapped(schema);
    if (outer instanceof z.ZodObject) schema = outer.shape[String(segment)];
    else if (outer instanceof z.ZodArray) schema = outer.element;
    else if (outer instanceof z.ZodRecord) schema = outer.valueType;
    else return [];
  }
  const inner = unwrapped(schema);
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
}

function unwrapped(schema: unknown): unknown {
  let inner = schema;
  while (
    inner instanceof z.ZodOptional ||
    inner instanceof z.ZodNullable ||
    inner instanceof z.ZodDefault ||
    inner instanceof z.ZodPrefault
  ) {
    inner = inner.unwrap();
  }
  return inner;
}
