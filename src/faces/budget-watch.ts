// Tells subscribers when a budget changes state, whichever process caused it, and looks only when something moved.
import { setImmediate as nextTurn } from "node:timers/promises";
import { AstraError } from "../core/error.ts";
import type { Policy } from "../core/policy.ts";
import type { Context, Principal } from "../operations/operation.ts";
import { type BudgetResource, resourceAt } from "./budget-resources.ts";

/** How often the ledger is asked whether anybody committed: microseconds each time. */
const TICK_MS = 200;
/** Deadlines pass and windows turn without a commit. */
const LOOK_MS = 1_000;
/** A round over very many budgets is followed by a rest this many times as long; and when nobody committed, by more. */
const REST = 3;
const QUIET_REST = 20;
/** Budgets looked at before others have a turn. */
const TURN = 16;

export type BudgetWatch = {
  /**
   * Calls `changed` at every change of state from now on, until the answered function is called. Rejects as a read of
   * the resource would: a foreign session exactly like an absent one.
   */
  open(caller: Caller, uri: string, changed: () => void): Promise<() => void>;
  close(): void;
};

/** For whom something is read. */
export type Caller = { readonly context: Context; readonly principal: Principal };

/** One resource as one kind of caller sees it, for however many subscribers. */
type Entry = {
  readonly resource: BudgetResource;
  readonly principal: Principal;
  readonly listeners: Set<() => void>;
  state: string;
  lookedAt: number;
};

/** All that is watched of one ledger; no timer runs when that is nothing. */
type Group = {
  readonly context: Context;
  readonly entries: Map<string, Entry>;
  changes: number | null;
  policy: Policy | null;
  lookedAt: number;
  /** How long the last round took. */
  tookMs: number;
  isFailing: boolean;
  timer: NodeJS.Timeout | null;
};

export function budgetWatch(log: (text: string) => void): BudgetWatch {
  const groups = new Map<Context, Group>();
  let isClosed = false;

  const wait = (group: Group, ms: number) => {
    group.timer = setTimeout(async () => {
      const began = performance.now();
      await look(group).catch((error) => {
        if (!isClosed && !group.isFailing) log(`watching budgets: ${String(error)}`);
        group.isFailing = true;
      });
      const tookMs = performance.now() - began;
      if (!isClosed && group.entries.size > 0) wait(group, Math.max(TICK_MS, REST * tookMs));
    }, ms);
    group.timer.unref();
  };

  const leave = (group: Group, key: string, entry: Entry, changed: () => void) => {
    entry.listeners.delete(changed);
    if (entry.listeners.size > 0 || group.entries.get(key) !== entry) return;
    group.entries.delete(key);
    if (group.entries.size > 0) return;
    if (group.timer) clearTimeout(group.timer);
    if (groups.get(group.context) === group) groups.delete(group.context);
  };

  return {
    async open({ context, principal }, uri, changed) {
      const resource = resourceAt(uri);
      if (!resource) throw new AstraError("not_found", "There is no such resource.");
      const key = JSON.stringify([principal.kind, principal.kind === "agent" ? principal.agentId : null, uri]);
      // Read for each subscriber anew: this is where one that may not see it is refused.
      const state = resource.state(await resource.read(context, principal));
      if (isClosed) return () => {};
      const group = groups.get(context) ?? newGroup(context);
      groups.set(context, group);
      const entry = group.entries.get(key) ?? newEntry(resource, principal, state);
      group.entries.set(key, entry);
      const own = () => changed();
      entry.listeners.add(own);
      if (!group.timer) wait(group, TICK_MS);
      return () => leave(group, key, entry, own);
    },
    close() {
      isClosed = true;
      for (const { timer } of groups.values()) if (timer) clearTimeout(timer);
      groups.clear();
    },
  };
}

const newGroup = (context: Context): Group => ({
  context,
  entries: new Map(),
  changes: null,
  policy: null,
  lookedAt: 0,
  tookMs: 0,
  isFailing: false,
  timer: null,
});

const newEntry = (resource: BudgetResource, principal: Principal, state: string): Entry => ({
  resource,
  principal,
  listeners: new Set(),
  state,
  lookedAt: performance.now(),
});

/** One round: nothing is read unless a commit was made, the policy changed or a second went by. */
async function look(group: Group): Promise<void> {
  const { context } = group;
  const now = performance.now();
  const changes = await context.ledger.changes();
  const { policy } = context;
  const isMoved = changes !== group.changes || policy !== group.policy;
  if (!isMoved && now - group.lookedAt < Math.max(LOOK_MS, QUIET_REST * group.tookMs)) return;
  let looked = 0;
  for (const entry of [...group.entries.values()]) {
    if (now - entry.lookedAt < entry.resource.paceMs || entry.listeners.size === 0) continue;
    if (++looked % TURN === 0) await nextTurn();
    await lookAt(context, entry, now);
  }
  // Only now, so that what could not be read is looked at again.
  Object.assign(group, { changes, policy, lookedAt: now, tookMs: performance.now() - now, isFailing: false });
}

async function lookAt(context: Context, entry: Entry, now: number): Promise<void> {
  const state = await stateOf(context, entry);
  entry.lookedAt = now;
  if (state === entry.state) return;
  entry.state = state;
  for (const changed of [...entry.listeners]) changed();
}

/** What can no longer be read has changed too; a fault of the ledger says nothing about the budget. */
async function stateOf(context: Context, { resource, principal }: Entry): Promise<string> {
  // Nobody asked: what the watch reads is no decision that metrics should count.
  const { observe: _, ...unobserved } = context;
  try {
    return resource.state(await resource.read(unobserved, principal));
  } catch (error) {
    if (error instanceof AstraError && error.code === "session_not_found") return error.code;
    throw error;
  }
}
