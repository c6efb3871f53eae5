// The verdict on a metered thread: may it ask the model again, with what its swarm may be spending at this moment?
import { type Limit, lookup } from "../core/limits.ts";
import type { MeteredResponse } from "../core/metered.ts";
import { type Ask, decideLimit, NO_ASK, type Refusal, type Verdict, verdictOf } from "../core/verdict.ts";
import { readBalances } from "../ledger/balances.ts";
import type { Account } from "../ledger/metered.ts";
import type { Session } from "../ledger/session-row.ts";
import type { Work } from "../ledger/statement.ts";
import { accountOf } from "./meter-account.ts";
import { type Context, hourAt } from "./operation.ts";
import { modelRefusal } from "./pricing.ts";
import { parentRefusals, spawnLimits } from "./spawn.ts";
import { limitsOf, noticesOf, sessionStanding } from "./standing.ts";

export type Asking = {
  /**
   * Responses that models are writing, or will be if the answer is yes, and that nothing tells of yet: they must fit.
   * Each by one that was like it.
   */
  readonly underWay: readonly MeteredResponse[];
  /** How many sub-agents are being started and have no session yet, that of the one who asks included; 0 = it starts none. */
  readonly starting: number;
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
  const ask = asking.underWay.length > 0 ? askOf(context, asking.underWay) : NO_ASK;
  const notices = noticesOf(policy, standing, balanceOf);
  const spawning = asking.starting > 0 ? yield* spawnLimits(policy, session, standing.ancestors, now) : [];
  const spawns: Ask = { child_agents: BigInt(asking.starting), concurrent_children: BigInt(asking.starting) };
  return {
    verdict: verdictOf(limits, ask, policy.warnAtPpm, refusals, notices),
    spawn: asking.starting > 0 ? verdictOf(spawning, spawns, policy.warnAtPpm, parentRefusals(session, now)) : null,
    warned: limits.filter((limit) => decideLimit(limit, NO_ASK, policy.warnAtPpm) === "warn"),
  };
}

/** What the responses come to. */
function askOf(context: Context, responses: readonly MeteredResponse[]): Ask {
  const accounts = responses.map((response) => accountOf(context, response, "transcript").account);
  const sum = (of: (account: Account) => bigint) => accounts.reduce((all, each) => all + of(each), 0n);
  const prompt = sum((each) => each.inputTokens + each.cacheReadTokens + each.cacheWriteTokens);
  const completion = sum((each) => each.outputTokens);
  return {
    cost_usd: sum((each) => each.cost),
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
  };
}
