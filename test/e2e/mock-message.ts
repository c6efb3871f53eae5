// A model's answer as the Anthropic API writes it: in one piece, or as the events of a stream; and what each costs.
import { randomUUID } from "node:crypto";

export type ToolCall = { readonly tool: string; readonly input: Readonly<Record<string, unknown>> };
export type Reply = { readonly text: string; readonly calls?: readonly ToolCall[]; readonly outputTokens?: number };

type Block =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "tool_use"; readonly id: string; readonly name: string; readonly input: ToolCall["input"] };
type Event = { readonly type: string; readonly [field: string]: unknown };

/** Every answer uses the same input, of all four kinds. */
const INPUT = {
  input_tokens: 10,
  cache_creation_input_tokens: 2000,
  cache_read_input_tokens: 5000,
  cache_creation: { ephemeral_5m_input_tokens: 500, ephemeral_1h_input_tokens: 1500 },
} as const;

const OUTPUT_TOKENS = 150;

/** The model that tests ask for, and what an answer of 150 output tokens costs there: $0.00977. */
export const MODEL = "claude-sonnet-5";
export const ANSWER_USD = 0.00977;

export function messageOf(model: string, { text, calls = [], outputTokens = OUTPUT_TOKENS }: Reply) {
  const id = () => randomUUID().replaceAll("-", "");
  const content: Block[] = [
    { type: "text", text },
    ...calls.map(({ tool, input }): Block => ({ type: "tool_use", id: `toolu_${id()}`, name: tool, input })),
  ];
  return {
    id: `msg_${id()}`,
    type: "message",
    role: "assistant",
    model,
    content,
    stop_reason: calls.length > 0 ? "tool_use" : "end_turn",
    stop_sequence: null,
    usage: { ...INPUT, output_tokens: outputTokens, service_tier: "standard" },
  } as const;
}

type Message = ReturnType<typeof messageOf>;

export function eventsOf(message: Message): Event[] {
  const { content, stop_reason, stop_sequence, usage } = message;
  const start = { ...message, content: [], stop_reason: null, usage: { ...usage, output_tokens: 1 } };
  return [
    { type: "message_start", message: start },
    { type: "ping" },
    ...content.flatMap(blockEvents),
    { type: "message_delta", delta: { stop_reason, stop_sequence }, usage },
    { type: "message_stop" },
  ];
}

function blockEvents(block: Block, index: number): Event[] {
  const [empty, delta] =
    block.type === "text"
      ? [
          { ...block, text: "" },
          { type: "text_delta", text: block.text },
        ]
      : [
          { ...block, input: {} },
          { type: "input_json_delta", partial_json: JSON.stringify(block.input) },
        ];
  return [
    { type: "content_block_start", index, content_block: empty },
    { type: "content_block_delta", index, delta },
    { type: "content_block_stop", index },
  ];
}
