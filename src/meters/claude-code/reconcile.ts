// A conversation that is over, read once more from its start: what was missed is booked, and its own total is checked.
import { statSync } from "node:fs";
import { sep } from "node:path";
import type { MeteredResponse } from "../../core/metered.ts";
import { filesBookedLast, isThreadKnown, meterUsage } from "../../operations/meter-usage.ts";
import type { Context } from "../../operations/operation.ts";
import { priceResponse } from "../../operations/price-response.ts";
import { Conversation } from "./conversation.ts";
import { isSubagentFile, sessionOfPath } from "./places.ts";
import { unattributed } from "./unattributed.ts";

export type Reconciling = {
  readonly root: string;
  readonly client: string;
  readonly agentId: string;
  readonly log: (text: string) => void;
};

/** Files looked at when a server starts; what is older, `import claude-code` finds. */
const MOST_FILES = 100;

/** The conversations whose files have grown since they were booked: Claude Code writes its total when we are gone. */
export async function reconcileStale(context: Context, how: Reconciling): Promise<void> {
  for (const { path, bytes } of await filesBookedLast(context, MOST_FILES)) {
    if (!path.startsWith(how.root + sep) || isSubagentFile(path)) continue;
    try {
      const size = statSync(path, { throwIfNoEntry: false })?.size;
      if (size !== undefined && size !== bytes) await reconcile(context, how, path);
    } catch (error) {
      // One that cannot be read keeps no other from being checked.
      how.log(`an earlier conversation is not reconciled: ${error instanceof Error ? error.message : error}`);
    }
  }
}

async function reconcile(context: Context, { root, client, agentId }: Reconciling, path: string): Promise<void> {
  const id = sessionOfPath(path);
  if (id === null || !(await isThreadKnown(context, client, id))) return;
  const conversation = new Conversation(root, path, async () => 0);
  await conversation.read();
  const { responses } = conversation.take();
  const all = [...responses.values()].flat().sort((a, b) => a.occurredAt - b.occurredAt);
  const { costState } = conversation;
  const rest = costState ? unattributed(costState, all, (response) => costByList(context, response)) : [];
  await meterUsage(context, {
    client,
    meter: "transcript",
    agentId,
    threads: [...new Set([id, ...responses.keys()])].map((threadId) => ({
      threadId,
      parentId: threadId === id ? null : id,
      responses: [...(responses.get(threadId) ?? []), ...(threadId === id ? rest : [])],
    })),
    files: conversation.ends(),
    asking: id,
    renewal: "keep",
    telling: "later",
    underWay: [],
    starting: 0,
    model: conversation.modelOf(id),
  });
}

/** Null where the operator's own prices hold, or no exact one is known: then the client's figures are of another list. */
function costByList(context: Context, response: MeteredResponse): bigint | null {
  if (context.policy.prices.size > 0) return null;
  const { cost, costSource, searchCost } = priceResponse(context, response);
  return cost !== null && (costSource === "exact" || costSource === "override") ? cost + searchCost : null;
}
