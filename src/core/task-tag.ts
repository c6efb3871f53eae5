// Tags and titles of tasks: what may stand in them, and the cost limit that a `budget:0.50` tag sets.
import { z } from "zod";
import { AstraError } from "./error.ts";
import { NANO_PER_USD, type Nano, scaleDecimal } from "./money.ts";
import { isPlainText, quoted } from "./plain-text.ts";
import { MAX_USD } from "./policy-field.ts";

/** Cost Control, "Per-task limits": `"tags": ["budget:0.50"]`, in USD; the reading of `facts/seeds.md` section 4. */
const BUDGET_TAG = /^budget:\$?(\d+(?:\.\d{1,6})?)$/;
/** What is meant as a budget tag. A misspelt one must not pass as an ordinary tag: it would limit nothing. */
const MEANT_AS_BUDGET_TAG = /^\s*budget\s*:/i;

const BUDGET_TAG_RULE =
  "expected budget:USD with at most 6 decimals and at most 1,000,000, such as budget:0.50 (no space, no sign)";

/** What a tag should be, if it is not; null when it is well. */
export function tagFault(tag: string): string | null {
  if (MEANT_AS_BUDGET_TAG.test(tag)) return costOfTag(tag) === null ? BUDGET_TAG_RULE : null;
  if (tag.length > 0 && tag.length <= 64 && tag === tag.trim() && isPlainText(tag)) return null;
  return "expected a tag of 1-64 characters without control characters or spaces around it";
}

/**
 * The cost limit of a task in nano-dollars: the smallest of its `budget:` tags; null = none; 0 blocks all.
 * Throws `invalid_input` on a malformed budget tag, so that no limit is ever lost by a slip of the pen.
 */
export function costLimitOfTags(tags: readonly string[]): Nano | null {
  let smallest: Nano | null = null;
  for (const tag of tags) {
    if (!MEANT_AS_BUDGET_TAG.test(tag)) continue;
    const cost = costOfTag(tag);
    if (cost === null) throw new AstraError("invalid_input", `tag ${quoted(tag)}: ${BUDGET_TAG_RULE}`);
    if (smallest === null || cost < smallest) smallest = cost;
  }
  return smallest;
}

/** Tags of a task, in any order; at most 32. */
export const taskTags = z
  .array(
    z
      .string({ error: "expected a text such as budget:0.50 (in quotes, no space after the colon)" })
      .superRefine((tag, context) => {
        const fault = tagFault(tag);
        if (fault) context.addIssue({ code: "custom", message: fault });
      }),
    { error: "expected a list of tags, such as [bugfix, budget:0.50]" },
  )
  .max(32, { error: "expected at most 32 tags" });

const TITLE_RULE =
  "expected a title of 1-200 characters without line breaks, control characters or direction overrides";

/** A task's title, one line of free text for people; never shown to another agent than the task's own. */
export const taskTitle = z
  .string({ error: TITLE_RULE })
  .min(1, { error: TITLE_RULE })
  .max(200, { error: TITLE_RULE })
  .refine(isPlainText, { error: TITLE_RULE });

function costOfTag(tag: string): Nano | null {
  const usd = BUDGET_TAG.exec(tag)?.[1];
  if (usd === undefined || usd.length > 32) return null;
  const cost = scaleDecimal(usd, 9);
  return cost > BigInt(MAX_USD) * NANO_PER_USD ? null : cost;
}
