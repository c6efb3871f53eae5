// The verdict on a metered thread: may it ask the model again, with what its swarm may be spending at this moment?
import { type Limit, lookup } from "../core/limits.ts";
import { type Ask, decideLimit, NO_ASK, type Refusal, type Verdict, verdictOf } from "../core/verdict.ts";
import { readBalances } from "../ledger/balances.ts";
import type { Session } from "../ledger/session-row.ts";
import { swarmOf } from "../ledger/sessions.ts";
import type { Work } from "../ledger/statement.ts";
import { SPAWN } from "./admission.ts";
import { type Context, hourAt } from "./operation.ts";
import { modelRefusal } from "./pricing.ts";
import { parentRefusals, spawnLimits } from "./spawn.ts";
import { limitsOf, noticesOf, sessionStanding } from "./standing.ts";

export type Asking = {
  /** Responses that models are writing, or will be if the answer is yes, and that nothing tells of yet: they must fit. */
  readonly underWay: number;
  readonly next: "sub_agent" | "anything";
  /** The model that answers; null = not known. */
  readonly model: string | null;
};

export function* verdictFor(
  context: Context,
  session: Session,
  asking: Asking,
  now: number,
): Work<{ verdict: Verdict; spawn: Verdict | null; warned: readonly Limit[] }> {
  const { policy } = context;
  const standing = yield* sessionStanding(policy, session, hourAt(context, now), now);
  const balanceOf = lookup(yield* readBalances(session.workspaceId, standing.keys));
  const limits = limitsOf(policy, standing, balanceOf, now);
  const model = modelRefusal(context, asking.model, session.provider, now);
  const refusals: Refusal[] = [...standing.refusals, ...(model ? [model] : [])];
  const ask = asking.underWay > 0 ? yield* typical(session, asking.underWay) : NO_ASK;
  const notices = noticesOf(policy, standing, balanceOf);
  const spawning = asking.next === "sub_agent" ? yield* spawnLimits(policy, session, standing.ancestors, now) : [];
  return {
    verdict: verdictOf(limits, ask, policy.warnAtPpm, refusals, notices),
    spawn:
      asking.next === "sub_agent" ? verdictOf(spawning, SPAWN, policy.warnAtPpm, parentRefusals(session, now)) : null,
    warned: limits.filter((limit) => decideLimit(limit, NO_ASK, policy.warnAtPpm) === "warn"),
  };
}

/** So many responses as they usually are in this swarm. */
function* typical(session: Session, count: number): Work<Ask> {
  const totals = yield* swarmOf(session);
  const sum = (of: (each: Session["totals"]) => bigint) => totals.reduce((all, each) => all + of(each.totals), 0n);
  const charges = sum((each) => each.charges);
  if (charges === 0n) return NO_ASK;
  const share = (all: bigint) => (all * BigInt(count) + charges - 1n) / charges;
  const prompt = share(sum((each) => each.inputTokens + each.cacheReadTokens + each.cacheWriteTokens));
  const completion = share(sum((each) => each.outputTokens));
  return {
    cost_usd: share(sum((each) => each.cost)),
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
  };
}
