// The feed of get_now: charges as they are booked, each told once to whoever asks with the cursor of the answer before.
import type { Decision } from "../core/verdict.ts";
import { type ListedCharge, type NewestCharges, newestCharges } from "../ledger/charge-list.ts";
import type { Work } from "../ledger/statement.ts";
import { chargeLine } from "./charge-line.ts";

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
export const feedLine = (charge: ListedCharge, decision: Decision | null) => ({ ...chargeLine(charge), decision });
