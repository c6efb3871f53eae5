// Watches get_now for readers who see the same: one look for all of them, when somebody committed or some time went by.
import type { Policy } from "../../core/policy.ts";
import { getNow } from "../../operations/get-now.ts";
import { type Context, invoke, type Principal } from "../../operations/operation.ts";
import { type NowAnswer, NowState } from "./now-state.ts";

/** How often the ledger is asked whether anybody committed: microseconds each time. */
const TICK_MS = 200;
/** Deadlines pass and windows turn without a commit. */
const LOOK_MS = 2_000;
/** So long a ledger may be unreadable before those who read are told by the end of their streams. */
const PATIENCE_MS = 5_000;
/** A look that took long is followed by a rest this many times as long. */
const REST = 3;

export type NowWatch = {
  readonly state: NowState;
  /** Resolves after the first look, rejects where it is forbidden or fails. */
  readonly ready: Promise<void>;
  /** How often the ledger or the policy was seen to have moved. */
  moves(): number;
  close(): void;
};

/** `ticked` is called after every tick, whether or not anything was seen; `failed` once, when looks go on failing. */
export function watchNow(
  context: Context,
  principal: Principal,
  { ticked, failed }: { ticked(): void; failed(): void },
  log: (text: string) => void,
): NowWatch {
  const state = new NowState();
  let seen: { changes: number; policy: Policy; at: number } | null = null;
  let moves = 0;
  let failingSince: number | null = null;
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;

  const look = async (): Promise<void> => {
    const changes = await context.ledger.changes();
    // Nobody asked: what is read here is no call that metrics should count.
    const { observe: _, ...unobserved } = context;
    const { policy } = unobserved;
    const isMoved = changes !== seen?.changes || policy !== seen.policy;
    const at = performance.now();
    if (seen && !isMoved && at - seen.at < LOOK_MS) return;
    state.take((await invoke(getNow, unobserved, principal, state.after)) as NowAnswer);
    if (isMoved) moves += 1;
    // Only now, so that what could not be read is looked at again.
    seen = { changes, policy, at };
    failingSince = null;
  };
  const wait = (ms: number): void => {
    if (isClosed) return;
    timer = setTimeout(async () => {
      const began = performance.now();
      await look().catch((error) => {
        if (!isClosed && failingSince === null) log(`watching for the dashboard: ${String(error)}`);
        failingSince ??= began;
        if (!isClosed && performance.now() - failingSince >= PATIENCE_MS) failed();
      });
      if (isClosed) return;
      ticked();
      wait(Math.max(TICK_MS, REST * (performance.now() - began)));
    }, ms).unref();
  };
  return {
    state,
    ready: look().then(() => wait(TICK_MS)),
    moves: () => moves,
    close: () => {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
