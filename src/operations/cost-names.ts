// What costs without an attribution are called, and those of too many names together. No id has a parenthesis in it.
import type { Attribute } from "../ledger/cost-shape.ts";

/** What a breakdown by tool calls the model itself. */
export const LLM = "llm";

export const NONE = "(none)";
export const OTHERS = "(others)";

/** A name of the ledger as answers show it. */
export const shownName = (attribute: Attribute, name: string): string => name || (attribute === "tool" ? LLM : NONE);
