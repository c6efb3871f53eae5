// Ids: which texts a caller may use as one, and the shape of ours.
import { z } from "zod";

/**
 * A caller's id of an agent, task, team, user, model or tool: 1-128 letters or digits of any script (NFC) and
 * `. _ : @ / # + -`. No space, markup, quote or control character fits, so an id can carry neither markup nor
 * a sentence into another agent's context.
 */
const CALLER_ID = /^[\p{L}\p{M}\p{N}._:@/#+-]{1,128}$/u;

export const CALLER_ID_RULE = "1-128 letters, digits or . _ : @ / # + -";

function isCallerId(text: string): boolean {
  return text.isWellFormed() && text === text.normalize("NFC") && CALLER_ID.test(text);
}

const NOT_AN_ID = { error: `expected an id: ${CALLER_ID_RULE}, or an integer` };

/** A caller's id as text; an integer is taken as its digits (the guides write `"task_id": 594`). */
export const callerId = z
  .union([z.string(), z.int(NOT_AN_ID).nonnegative(NOT_AN_ID)], NOT_AN_ID)
  .transform((id) => String(id))
  .refine(isCallerId, { error: `expected an id: ${CALLER_ID_RULE} (NFC)` });

/** What our own ids begin with. */
export type IdKind = "session" | "hold" | "stop" | "task" | "grant" | "key" | "incident" | "delivery";
