// What a meter would say, for tests: responses with any part changed, and a call of `meterUsage` with the usual rest.
import type { Meter, MeteredResponse } from "../../src/core/metered.ts";
import { type Metered, type Metering, meterUsage } from "../../src/operations/meter-usage.ts";
import { raw } from "../ledger/engines.ts";
import { START, type World } from "../world.ts";

/** 1,000 tokens in and 200 out: $0.002 at the world's prices. */
export const aResponse = (responseId: string, changes: Partial<MeteredResponse> = {}): MeteredResponse => ({
  responseId,
  model: "known-1",
  provider: "anthropic",
  occurredAt: START,
  inputTokens: 1_000,
  outputTokens: 200,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  cacheWrite1hTokens: 0,
  webSearches: 0,
  speed: "standard",
  region: null,
  toolCalls: [],
  ...changes,
});

export const callsOf = (...tools: string[]): MeteredResponse["toolCalls"] =>
  tools.map((tool, i) => ({ id: `toolu_${i}`, tool }));

/** One thread, "main", with these responses. */
export async function meter(
  world: World,
  responses: readonly MeteredResponse[],
  changes: Partial<Metering> = {},
): Promise<Metered> {
  return await meterUsage(world.context, {
    client: "claude-code",
    meter: "transcript",
    agentId: "ada",
    threads: [{ threadId: "main", parentId: null, responses }],
    files: [],
    asking: "main",
    renewal: "keep",
    telling: "now",
    underWay: [],
    starting: 0,
    model: null,
    ...changes,
  });
}

export const metered = (world: World, by: Meter, ...responses: MeteredResponse[]): Promise<Metered> =>
  meter(world, responses, { meter: by });

/** The threads of a swarm: `parents` by their children's names. */
export const threadsOf = (
  responses: Readonly<Record<string, readonly MeteredResponse[]>>,
  parents: Readonly<Record<string, string>> = {},
): Metering["threads"] =>
  Object.entries(responses).map(([threadId, own]) => ({
    threadId,
    parentId: parents[threadId] ?? null,
    responses: own,
  }));

/** Charges as SQL shows them. */
export const charges = (world: World) => world.ledger.read(() => raw("select * from charges order by seq"));

export const sessions = (world: World) =>
  world.ledger.read(() => raw<{ id: string; status: string }>("select * from sessions order by opened_at, id"));
