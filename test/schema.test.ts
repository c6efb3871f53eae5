// schema/astra.schema.json: generated from the zod object, current, and named by the example for editors.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { policyJsonSchema } from "../src/core/policy-schema.ts";

const root = new URL("../", import.meta.url);

test("schema/astra.schema.json is current; if not, run: node schema/generate.ts", () => {
  const text = readFileSync(new URL("schema/astra.schema.json", root), "utf8");
  expect(text).toBe(`${JSON.stringify(policyJsonSchema(), null, 2)}\n`);
});

test("every key of the schema is described and unknown keys are refused everywhere", () => {
  let keys = 0;
  const visit = (schema: unknown): void => {
    if (typeof schema !== "object" || schema === null) return;
    if ("properties" in schema) {
      expect(schema).toHaveProperty("additionalProperties", false);
      for (const [key, property] of Object.entries(schema.properties ?? {})) {
        keys++;
        expect(property, key).toHaveProperty("description", expect.stringMatching(/^[A-Z].{10,}\.$/));
      }
    }
    for (const child of Object.values(schema)) visit(child);
  };
  visit(policyJsonSchema());
  expect(keys).toBeGreaterThan(70);
});

test("the example names the schema on its first line", () => {
  const [first] = readFileSync(new URL("astra.yml.example", root), "utf8").split("\n");
  expect(first).toBe("# yaml-language-server: $schema=./schema/astra.schema.json");
});
