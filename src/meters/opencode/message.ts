// One message of OpenCode's database: the usage of the model's answer that its `data` holds.
import { z } from "zod";
import type { MeteredResponse } from "../../core/metered.ts";
import { asObject, count, countOrNone, type FaultyLine, type LineFault, MAX_COUNT, PLAIN } from "../json-line.ts";
import { fitsAsId, modelName, providerName } from "../safe-names.ts";

export type MessageRow =
  | { readonly kind: "response"; readonly response: MeteredResponse }
  | { readonly kind: "other" }
  | FaultyLine;

const OTHER: MessageRow = { kind: "other" };
const fault = (what: LineFault): MessageRow => ({ kind: "fault", what });

const tokensShape = z.object({
  input: count,
  output: count,
  reasoning: countOrNone,
  cache: z.object({ read: countOrNone, write: countOrNone }).nullish(),
});

/** Epoch ms. */
const timeShape = z.object({ created: z.int().min(0), completed: z.int().min(0).nullish() });

/**
 * The row's id and its `data`, parsed. Its counts exclude each other; thinking is billed as output. Nothing tells cache
 * writes for an hour apart, so all are taken for five minutes. An answer not begun yet has only zeros.
 */
export function readMessage(id: string, data: unknown): MessageRow {
  const message = asObject(data);
  if (message?.role !== "assistant") return OTHER;
  if (!message.tokens) return fault("no_usage");
  const { data: tokens } = tokensShape.safeParse(message.tokens);
  if (!tokens) return fault("bad_usage");
  const outputTokens = tokens.output + tokens.reasoning;
  const { read: cacheReadTokens, write: cacheWriteTokens } = tokens.cache ?? { read: 0, write: 0 };
  if (outputTokens > MAX_COUNT) return fault("bad_usage");
  if (tokens.input + outputTokens + cacheReadTokens + cacheWriteTokens === 0) return OTHER;
  if (!fitsAsId(id)) return fault("bad_id");
  if (typeof message.modelID !== "string") return fault("bad_model");
  const { data: time } = timeShape.safeParse(message.time);
  if (!time) return fault("bad_time");
  const response = {
    ...PLAIN,
    responseId: id,
    model: modelName(message.modelID),
    provider: providerName(message.providerID),
    occurredAt: time.completed ?? time.created,
    inputTokens: tokens.input,
    outputTokens,
    cacheReadTokens,
    cacheWriteTokens,
  };
  return { kind: "response", response };
}
