// A second, naive bookkeeping beside the ledger: lists of charges and holds, and sums over them, nothing else.
import { expect } from "vitest";
import type { Answer } from "../world.ts";

export type ModelSession = {
  readonly id: string;
  readonly agent: string;
  readonly team: string | null;
  readonly task: string | null;
  readonly role: string | null;
  readonly user: string | null;
  readonly chain: readonly string[];
  /** As it was answered when it opened, in its wire names. */
  readonly budget: Readonly<Record<string, number>>;
  readonly openedAt: number;
  readonly expiresAt: number;
  status: "open" | "ended";
  /** Once it has ended. */
  endedAt: number | null;
  outcome: string | null;
};

type Amounts = { cost: bigint; prompt: bigint; completion: bigint; calls: bigint };
type Charge = Amounts & { readonly session: ModelSession; readonly hour: string; readonly isError?: boolean };
export type ModelHold = Charge & {
  readonly id: string;
  readonly expiresAt: number;
  state: "held" | "settled" | "released" | "expired";
  /** It expired and counts as an unconfirmed charge. */
  booked: boolean;
};

export const hourOf = (at: number): string => new Date(at).toISOString().slice(0, 13);
/** Nano-dollars of whole cents. */
export const cents = (count: number): bigint => BigInt(count) * 10_000_000n;

export class Model {
  readonly sessions: ModelSession[] = [];
  readonly charges: Charge[] = [];
  readonly holds: ModelHold[] = [];
  readonly #onExpiry: "release" | "charge";

  constructor(onExpiry: "release" | "charge") {
    this.#onExpiry = onExpiry;
  }

  /** What every write does first: holds whose time is over expire, but for the one that is being settled. */
  expire(now: number, spared?: ModelHold): void {
    for (const hold of this.holds) {
      if (hold.state !== "held" || hold.expiresAt > now || hold === spared) continue;
      hold.state = "expired";
      if (this.#onExpiry === "release") continue;
      this.charges.push(hold);
      hold.booked = true;
    }
  }

  /** Settles the hold a report names, as the answer must say; what was booked for it unconfirmed is taken back. */
  settle(hold: ModelHold): "settled" | "was_closed" {
    if (hold.state === "held") {
      hold.state = "settled";
      return "settled";
    }
    if (hold.booked) this.charges.push({ ...hold, cost: -hold.cost, prompt: -hold.prompt });
    hold.booked = false;
    return "was_closed";
  }

  /** Ends a session with all below it; answers how many children ended and holds were let go. */
  end(session: ModelSession, status: string, now: number): { children: number; holds: number } {
    if (session.status === "ended") return { children: 0, holds: 0 };
    const isOver = status === "success" && this.#isUsedUp(session, now);
    const ended = this.sessions.filter((each) => each.status === "open" && each.chain.includes(session.id));
    for (const each of ended) Object.assign(each, { status: "ended", endedAt: now, outcome: "cancelled" });
    session.outcome = isOver ? "over_budget" : status;
    const held = this.holds.filter((hold) => hold.state === "held" && ended.includes(hold.session));
    for (const hold of held) hold.state = "released";
    return { children: ended.length - 1, holds: held.length };
  }

  /** Of what nobody ended an hour after its deadline and that holds nothing, each opening closes ten. */
  closeOverdue(now: number): void {
    const overdue = this.sessions
      .filter((each) => each.status === "open" && each.expiresAt + 3_600_000 <= now)
      .filter((each) => !this.holds.some((hold) => hold.state === "held" && hold.session === each))
      .sort((a, b) => a.expiresAt - b.expiresAt || (a.id < b.id ? -1 : 1));
    for (const each of overdue.slice(0, 10))
      Object.assign(each, { status: "ended", endedAt: each.expiresAt, outcome: "expired" });
  }

  /** Is any field of its own budget used up, by it and all below it? */
  #isUsedUp({ id, budget, expiresAt }: ModelSession, now: number): boolean {
    const spent = total(this.charges.filter(({ session }) => session.chain.includes(id)));
    const reaches = (used: bigint, field: string) => used >= BigInt(Math.round(Number(budget[field])));
    return (
      Number(spent.cost) >= Number(budget.max_cost_cents) * 1e7 ||
      reaches(spent.prompt, "max_prompt_tokens") ||
      reaches(spent.completion, "max_completion_tokens") ||
      reaches(spent.prompt + spent.completion, "max_total_tokens") ||
      // A limit of no calls is used up by the first.
      ((spent.calls > 0n || Number(budget.max_tool_calls) > 0) && reaches(spent.calls, "max_tool_calls")) ||
      now >= expiresAt
    );
  }

  /** What counts in a scope and window: of charges, and of open holds. */
  sums(of: (entry: Charge) => boolean): { spent: Amounts; held: Amounts } {
    return {
      spent: total(this.charges.filter(of)),
      held: total(this.holds.filter((hold) => hold.state === "held" && of(hold))),
    };
  }

  /** Compares one stored balance with the lists. */
  expectBalance(row: Record<string, unknown>): void {
    const { scope, scope_id: id, window_kind: kind, window_key: key } = row;
    const { spent, held } = this.sums((entry) => {
      const { session } = entry;
      // Only ever locked, so that children are counted one opening at a time.
      if (scope === "agent" && kind === "total") return false;
      if (scope === "session" && !session.chain.includes(String(id))) return false;
      if (scope === "agent" && session.agent !== id) return false;
      if (scope === "team" && session.team !== id) return false;
      if (scope === "task" && session.task !== id) return false;
      return kind === "session" || kind === "total" || entry.hour.startsWith(String(key));
    });
    expect(row).toMatchObject({
      cost_spent: spent.cost,
      prompt_spent: spent.prompt,
      completion_spent: spent.completion,
      tool_calls_spent: spent.calls,
      cost_held: held.cost,
      prompt_held: held.prompt,
      completion_held: held.completion,
      tool_calls_held: held.calls,
    });
  }

  /** No limit of cost in an answer that admits says less than what the lists come to. */
  expectWithin(answer: Answer, session: ModelSession, now: number): void {
    const day = hourOf(now).slice(0, 10);
    for (const limit of answer.verdict.limits) {
      if (limit.measure !== "cost_usd" || limit.scope === "ancestor") continue;
      const { spent, held } = this.sums((entry) => {
        if (limit.window === "day" && !entry.hour.startsWith(day)) return false;
        if (limit.window === "month" && !entry.hour.startsWith(day.slice(0, 7))) return false;
        if (limit.scope === "session") return entry.session.chain.includes(session.id);
        if (limit.scope === "agent") return entry.session.agent === session.agent;
        if (limit.scope === "team") return entry.session.team === session.team;
        if (limit.scope === "task") return entry.session.task === session.task;
        return true;
      });
      expect(spent.cost + held.cost).toBeLessThanOrEqual(BigInt(Math.round(Number(limit.limit) * 1e9)));
    }
  }
}

function total(entries: readonly Amounts[]): Amounts {
  const sum = { cost: 0n, prompt: 0n, completion: 0n, calls: 0n };
  for (const entry of entries) {
    sum.cost += entry.cost;
    sum.prompt += entry.prompt;
    sum.completion += entry.completion;
    sum.calls += entry.calls;
  }
  return sum;
}
