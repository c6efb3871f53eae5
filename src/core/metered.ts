// What a meter finds: one response of a model, once, in one form whatever client or provider wrote it down.

/** Who found out a charge's usage; a later one in this list is believed before an earlier one. */
export const METERS = ["self_reported", "telemetry", "transcript", "gateway"] as const;
export type Meter = (typeof METERS)[number];

/** Counts are whole numbers of at least 0. The three kinds of input exclude each other. */
export type MeteredResponse = {
  /** The provider's id of the response ("msg_…", "resp_…"): what it is known by, wherever it is found. */
  readonly responseId: string;
  /** The model that answered, as the response names it. */
  readonly model: string;
  /** Null = the price list says whose model it is. */
  readonly provider: string | null;
  /** Epoch ms. */
  readonly occurredAt: number;
  /** Uncached input. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  /** All cache writes; `cacheWrite1hTokens` is the part kept for an hour. */
  readonly cacheWriteTokens: number;
  readonly cacheWrite1hTokens: number;
  /** Searches that the provider ran and bills by the piece. */
  readonly webSearches: number;
  readonly speed: "standard" | "fast";
  /** The vendor's surcharge for processing in one country ("us"); null = none. */
  readonly region: "us" | null;
  /** The tools the response calls: each call's id and the tool's name. */
  readonly toolCalls: readonly { readonly id: string; readonly tool: string }[];
  /** What all of it was for, where it is no answer in a conversation ("unattributed"). */
  readonly tool?: string;
  /** Nano-dollars by the client's own account; absent = by the price list. */
  readonly cost?: bigint;
};

/** All tokens: of two accounts of one response the larger is the later. */
export function tokensOf(response: MeteredResponse): number {
  return response.inputTokens + response.outputTokens + response.cacheReadTokens + response.cacheWriteTokens;
}
