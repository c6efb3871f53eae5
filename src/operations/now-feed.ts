// The feed of get_now: charges as they are booked, each told once to whoever asks with the cursor of the answer before.
import { usdFromNano } from "../core/money.ts";
import type { Decision } from "../core/verdict.ts";
import { type ListedCharge, type NewestCharges, newestCharges } from "../ledger/charge-list.ts";
import type { Work } from "../ledger/statement.ts";
import { instantOut } from "./output.ts";

/** Of an answer that begins a feed, and of one that goes on with it. */
const FIRST_CHARGES = 30;
const MOST_CHARGES = 100;

export type Feed = Pick<NewestCharges, "charges" | "last"> & {
  /** Charges between the cursor and the first one shown: too many, or pruned since. */
  readonly leftOut: bigint;
  readonly isHidden: boolean;
};

/** For whom single charges are hidden. */
export const HIDDEN_FEED: Feed = { charges: [], last: 0n, leftOut: 0n, isHidden: true };

/** The newest charges after a number in the workspace's book; null = a feed begins. */
export function* feedAfter(workspaceId: string, after: bigint | null): Work<Feed> {
  if (after !== null) {
    const { charges, first, last } = yield* newestCharges(workspaceId, after, MOST_CHARGES);
    // A number that was never given is of another ledger, or of this one before it was put back from a copy.
    if (after <= last) return { charges, last, leftOut: first - after - 1n, isHidden: false };
  }
  const { charges, last } = yield* newestCharges(workspaceId, 0n, FIRST_CHARGES);
  return { charges, last, leftOut: 0n, isHidden: false };
}

/** A charge, with the verdict that stands for its session now; null for one that has ended. */
export function chargeLine(charge: ListedCharge, decision: Decision | null) {
  return {
    charge_id: charge.id,
    session_id: charge.session_id,
    agent_id: charge.agent_id,
    task_id: charge.task_id,
    model: charge.model,
    provider: charge.provider,
    tool: charge.tool,
    tools: charge.lines.map(({ tool, calls, cost }) => ({ tool, calls: Number(calls), cost_usd: usdFromNano(cost) })),
    recorded_at: instantOut(Number(charge.recorded_at)),
    occurred_at: instantOut(Number(charge.occurred_at)),
    input_tokens: Number(charge.input_tokens),
    output_tokens: Number(charge.output_tokens),
    cost_usd: usdFromNano(charge.cost_nano_usd),
    source: charge.source,
    metered_by: charge.metered_by,
    late: charge.late === 1n,
    failed: charge.error !== null,
    decision,
  };
}
