// The privacy budget in the words of Open Astra ("Differential privacy budget"): camelCase, users by their uid.
import { z } from "zod";

const user = {
  uid: z.string(),
  total: z.number(),
  spent: z.number(),
  remaining: z.number(),
  releases: z.number(),
  resets: z.number(),
  resetAt: z.string().nullable(),
  lifetimeSpent: z.number(),
};

export const dpUserOutput = z.looseObject(user);

export const dpBudgetOutput = z.looseObject({
  workspaceId: z.string(),
  enabled: z.boolean(),
  mechanism: z.string(),
  epsilonTotal: z.number(),
  users: z.array(dpUserOutput),
  nextCursor: z.string().nullable(),
});

/** An answer with its own names in camelCase, all the way down. Only for answers whose names are all ours. */
export function inCamelCase<Value>(value: Value): Value {
  if (Array.isArray(value)) return value.map(inCamelCase) as Value;
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([name, inner]) => [
    name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
    inCamelCase(inner),
  ]);
  return Object.fromEntries(entries);
}
