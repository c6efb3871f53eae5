// One line of a Gemini CLI chat file: the messages it writes or writes again, with the usage of those that a model gave.
import { z } from "zod";
import type { MeteredResponse } from "../../core/metered.ts";
import {
  asObject,
  count,
  countOrNone,
  type FaultyLine,
  instant,
  type JsonObject,
  type LineFault,
  MAX_COUNT,
  objectOn,
  PLAIN,
} from "../json-line.ts";
import { callId, fitsAsId, modelName, toolName } from "../safe-names.ts";

/**
 * A message is written again whenever something is added to it, and a patch (`$set`) may repeat the whole history: the
 * same ids come again and again. Collected by id they count once. What a rewind takes back was spent nevertheless.
 */
export type ChatLine =
  | {
      readonly kind: "responses";
      readonly responses: readonly MeteredResponse[];
      readonly faults: readonly LineFault[];
    }
  | { readonly kind: "other" }
  | FaultyLine;

/** Nothing else has usage, and no text in a message holds these bytes unescaped. */
const TOKENS = Buffer.from(`"tokens"`);

const tokensShape = z.object({
  input: count,
  output: count,
  cached: countOrNone,
  thoughts: countOrNone,
  tool: countOrNone,
});

export function readChatLine(line: Buffer): ChatLine {
  if (!line.includes(TOKENS)) return { kind: "other" };
  const object = objectOn(line);
  if (!object) return { kind: "fault", what: "not_json" };
  const read = messagesOf(object).flatMap((value) => {
    const message = asObject(value);
    return message?.type === "gemini" && message.tokens ? [responseOf(message)] : [];
  });
  if (read.length === 0) return { kind: "other" };
  return {
    kind: "responses",
    responses: read.filter((one) => typeof one === "object"),
    faults: read.filter((one) => typeof one === "string"),
  };
}

function messagesOf(line: JsonObject): readonly unknown[] {
  const patched = asObject(line.$set)?.messages ?? line.messages;
  return Array.isArray(patched) ? patched : [line];
}

/** `input` includes the cached part but not what tools put into the prompt; `output` is without the thoughts. */
function responseOf(message: JsonObject): MeteredResponse | LineFault {
  if (typeof message.id !== "string" || !fitsAsId(message.id)) return "bad_id";
  if (typeof message.model !== "string") return "bad_model";
  const occurredAt = instant.safeParse(message.timestamp);
  if (!occurredAt.success) return "bad_time";
  const { data: tokens } = tokensShape.safeParse(message.tokens);
  if (!tokens) return "bad_usage";
  const inputTokens = Math.max(0, tokens.input - tokens.cached) + tokens.tool;
  const outputTokens = tokens.output + tokens.thoughts;
  if (inputTokens > MAX_COUNT || outputTokens > MAX_COUNT) return "bad_usage";
  return {
    ...PLAIN,
    responseId: message.id,
    model: modelName(message.model),
    occurredAt: occurredAt.data,
    inputTokens,
    outputTokens,
    cacheReadTokens: tokens.cached,
    toolCalls: toolCallsOf(message.toolCalls),
  };
}

function toolCallsOf(given: unknown): MeteredResponse["toolCalls"] {
  if (!Array.isArray(given)) return [];
  return given.flatMap((value) => {
    const call = asObject(value);
    if (typeof call?.id !== "string") return [];
    return [{ id: callId(call.id), tool: toolName(typeof call.name === "string" ? call.name : "") }];
  });
}
