// The privacy budget of each user: what was told of them, what may still be told, and an owner's reset of it.
import { z } from "zod";
import { AstraError } from "../core/error.ts";
import { callerId } from "../core/id.ts";
import { usdFromNano } from "../core/money.ts";
import { ATTO, epsilonOf, NANO, type PrivacyLoss, remainingEpsilon } from "../core/privacy-account.ts";
import {
  findPrivacyAccount,
  lockPrivacyAccount,
  type PrivacyAccount,
  resetPrivacyAccount,
  spentOf,
} from "../ledger/privacy.ts";
import type { Work } from "../ledger/statement.ts";
import { isUser, usersAfter } from "../ledger/users.ts";
import { recordChange } from "./audit.ts";
import { once } from "./idempotency.ts";
import { idempotencyKey, why } from "./input.ts";
import { actorOf, type Context, defineOperation } from "./operation.ts";
import { instantOut } from "./output.ts";
import { nextCursor, pageFrom, pageInput, wrongCursor } from "./page.ts";

const userOutput = z.looseObject({
  uid: z.string(),
  total: z.number(),
  spent: z.number(),
  remaining: z.number(),
  releases: z.number(),
  resets: z.number(),
  reset_at: z.string().nullable(),
  lifetime_spent: z.number(),
});
type UserOut = z.input<typeof userOutput>;

export const getPrivacyBudget = defineOperation({
  name: "get_privacy_budget",
  title: "Get the privacy budget",
  description:
    "What viewers may be told of single users: for each user the epsilon in total, spent and remaining, how many numbers were released, and what was spent over all time, resets included.",
  input: z.strictObject({ uid: callerId.optional().describe("One user's only."), ...pageInput(50) }),
  output: z.looseObject({
    workspace_id: z.string(),
    enabled: z.boolean(),
    mechanism: z.string(),
    epsilon_total: z.number(),
    users: z.array(userOutput),
    next_cursor: nextCursor,
  }),
  access: "viewer",
  effect: "read",
  run: (context, _principal, args) =>
    context.ledger.read(function* () {
      const { workspace, privacy } = context.policy;
      const after = args.cursor ?? "";
      if (after !== "" && !callerId.safeParse(after).success) throw wrongCursor();
      const found =
        args.uid === undefined
          ? yield* usersAfter(workspace.id, after, args.limit + 1)
          : [yield* knownUser(context, args.uid)];
      const users: UserOut[] = [];
      const { items, next_cursor } = pageFrom(found, args.limit, (last) => last);
      for (const userId of items) users.push(userOut(context, yield* findPrivacyAccount(workspace.id, userId)));
      const { cost, tokens, toolCalls, charges } = privacy.bounds;
      const count = (bound: bigint | null) => (bound === null ? null : Number(bound));
      return {
        workspace_id: workspace.id,
        enabled: privacy.enabled,
        mechanism: privacy.mechanism,
        epsilon_total: fromNano(privacy.epsilonTotal),
        ...(privacy.mechanism === "laplace"
          ? { epsilon_per_release: fromNano(privacy.epsilonPerRelease) }
          : { rho_per_release: fromNano(privacy.rhoPerRelease) }),
        delta: Number(privacy.deltaAtto) / Number(ATTO),
        bounds: {
          cost_usd: usdFromNano(cost),
          tokens: count(tokens),
          tool_calls: count(toolCalls),
          charges: count(charges),
        },
        users,
        next_cursor,
      };
    }),
});

export const resetPrivacyBudget = defineOperation({
  name: "reset_privacy_budget",
  title: "Reset a user's privacy budget",
  description:
    "Forgives all that was spent of a user's budget, so that more can be told of them. What was told stays told: this ends the guarantee that epsilon_total holds over the user's whole life.",
  input: z.strictObject({ uid: callerId, reason: why, idempotency_key: idempotencyKey.optional() }),
  output: userOutput,
  access: "owner",
  effect: "idempotent",
  run: (context, principal, args) =>
    context.ledger.write(() =>
      once(context, actorOf(principal), "reset_privacy_budget", args, function* (): Work<UserOut> {
        const workspaceId = context.policy.workspace.id;
        const userId = yield* knownUser(context, args.uid);
        const account = yield* lockPrivacyAccount(workspaceId, userId);
        const before = userOut(context, account);
        const spent = spentOf(account);
        if (spent.epsilon === 0n && spent.rho === 0n) return before;
        yield* resetPrivacyAccount(workspaceId, userId, context.now());
        const after = userOut(context, yield* findPrivacyAccount(workspaceId, userId));
        const target = `user ${userId}`;
        yield* recordChange(context, principal, {
          action: "reset_privacy_budget",
          target,
          before,
          after,
          why: args.reason,
        });
        return after;
      }),
    ),
});

function* knownUser({ policy }: Context, uid: string): Work<string> {
  if (yield* isUser(policy.workspace.id, uid)) return uid;
  throw noSuchUser();
}

export const noSuchUser = () =>
  new AstraError("not_found", "There is no such user.", "GET /security/dp-budget lists the users.");

function userOut({ policy: { privacy } }: Context, account: PrivacyAccount): UserOut {
  const epsilon = (loss: PrivacyLoss) => fromNano(epsilonOf(loss, privacy.deltaAtto));
  const spent = spentOf(account);
  return {
    uid: account.userId,
    total: fromNano(privacy.epsilonTotal),
    spent: epsilon(spent),
    remaining: fromNano(remainingEpsilon(privacy.epsilonTotal, spent, privacy.deltaAtto)),
    releases: account.releases,
    resets: account.resets,
    reset_at: account.resetAt === null ? null : instantOut(account.resetAt),
    lifetime_spent: epsilon(account.lifetime),
  };
}

const fromNano = (nano: bigint): number => Number(nano) / Number(NANO);
