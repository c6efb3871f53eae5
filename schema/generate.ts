// Writes schema/astra.schema.json from the zod object of astra.yml: `node schema/generate.ts`.
import { writeFileSync } from "node:fs";
import { policyJsonSchema } from "../src/core/policy-schema.ts";

writeFileSync(new URL("astra.schema.json", import.meta.url), `${JSON.stringify(policyJsonSchema(), null, 2)}\n`);
