// One line of a Claude Code transcript: a model's response, the client's own total, or nothing that costs.
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
} from "../json-line.ts";
import { callId, fitsAsId, modelName, toolName } from "../safe-names.ts";
import { type CostState, costStateOf } from "./cost-state.ts";

export type TranscriptFault = LineFault | "bad_cost_state";

export type ResponseLine = {
  readonly kind: "response";
  readonly response: MeteredResponse;
  /** Written by a subagent. Its tokens count like any other. */
  readonly isSidechain: boolean;
  /** Whose session the line says it is; old versions kept subagents' files beside the main ones. */
  readonly sessionId: string | null;
  /** Claude Code's version. */
  readonly version: string | null;
};

export type TranscriptLine = ResponseLine | CostState | { readonly kind: "other" } | FaultyLine<TranscriptFault>;

const OTHER: TranscriptLine = { kind: "other" };
const fault = (what: TranscriptFault): TranscriptLine => ({ kind: "fault", what });

/** Quotes inside a text of the conversation are escaped, so only a line that has such a value holds these bytes. */
const ASSISTANT = Buffer.from(`"assistant"`);
const COST_STATE = Buffer.from(`"cost-state"`);

/** What Claude Code itself puts in place of an answer, after an error for instance. No model was asked. */
const SYNTHETIC = "<synthetic>";

const usageShape = z.object({
  input_tokens: count,
  output_tokens: count,
  cache_read_input_tokens: countOrNone,
  cache_creation_input_tokens: countOrNone,
  cache_creation: z
    .object({ ephemeral_1h_input_tokens: countOrNone, ephemeral_5m_input_tokens: countOrNone })
    .nullish(),
  server_tool_use: z.object({ web_search_requests: countOrNone }).nullish(),
  speed: z.string().nullish(),
  inference_geo: z.string().nullish(),
});

/** Lines that cannot matter are told by their bytes, without parsing them; most of a transcript is such. */
export function readTranscriptLine(line: Buffer): TranscriptLine {
  if (!line.includes(ASSISTANT) && !line.includes(COST_STATE)) return OTHER;
  const object = objectOn(line);
  if (!object) return fault("not_json");
  if (object.type === "cost-state") return costStateOf(object) ?? fault("bad_cost_state");
  return object.type === "assistant" ? responseLine(object) : OTHER;
}

function responseLine(line: JsonObject): TranscriptLine {
  const message = asObject(line.message);
  if (message?.model === SYNTHETIC) return OTHER;
  if (!message?.usage) return fault("no_usage");
  if (typeof message.id !== "string" || !fitsAsId(message.id)) return fault("bad_id");
  if (typeof message.model !== "string") return fault("bad_model");
  const occurredAt = instant.safeParse(line.timestamp);
  if (!occurredAt.success) return fault("bad_time");
  const counts = countsOf(message.usage);
  if (!counts) return fault("bad_usage");
  return {
    kind: "response",
    response: {
      responseId: message.id,
      model: modelName(message.model),
      provider: null,
      occurredAt: occurredAt.data,
      ...counts,
      toolCalls: toolCallsOf(message.content),
    },
    isSidechain: line.isSidechain === true,
    sessionId: idOrNull(line.sessionId),
    version: idOrNull(line.version),
  };
}

/** Null if any count is none. Without a split all writes are for five minutes; where the parts exceed the sum, they hold. */
function countsOf(
  given: unknown,
): Omit<MeteredResponse, "responseId" | "model" | "provider" | "occurredAt" | "toolCalls"> | null {
  const { success, data: usage } = usageShape.safeParse(given);
  if (!success) return null;
  const hour = usage.cache_creation?.ephemeral_1h_input_tokens ?? 0;
  const parts = hour + (usage.cache_creation?.ephemeral_5m_input_tokens ?? 0);
  const cacheWriteTokens = Math.max(usage.cache_creation_input_tokens, parts);
  if (cacheWriteTokens > MAX_COUNT) return null;
  return {
    inputTokens: usage.input_tokens,
    outputTokens: usage.output_tokens,
    cacheReadTokens: usage.cache_read_input_tokens,
    cacheWriteTokens,
    cacheWrite1hTokens: hour,
    webSearches: usage.server_tool_use?.web_search_requests ?? 0,
    speed: usage.speed === "fast" ? "fast" : "standard",
    region: usage.inference_geo === "us" ? "us" : null,
  };
}

/** Only an assistant's own block proves a call: results and attachments name its id too. */
function toolCallsOf(content: unknown): MeteredResponse["toolCalls"] {
  if (!Array.isArray(content)) return [];
  return content.flatMap((value) => {
    const block = asObject(value);
    if (block?.type !== "tool_use" || typeof block.id !== "string") return [];
    return [{ id: callId(block.id), tool: toolName(typeof block.name === "string" ? block.name : "") }];
  });
}

function idOrNull(value: unknown): string | null {
  return typeof value === "string" && fitsAsId(value) ? value : null;
}
