// A workspace with a privacy budget: users who spent on past days, and the viewers who ask about them.
import type { Ledger } from "../../src/ledger/ledger.ts";
import type { Principal } from "../../src/operations/operation.ts";
import { raw } from "../ledger/engines.ts";
import { type Answer, START, WIDE, type World, worldOf } from "../world.ts";

export const VIEWER: Principal = { kind: "viewer", actor: "key_viewer" };
export const OWNER: Principal = { kind: "owner", actor: "key_owner" };
export const DAY = 86_400_000;

/** Alice's in two sessions, so that her own sum is nowhere but in answers about her. */
export const SPENT = [
  { user_id: "alice", cost_usd: 2.003, input_tokens: 1_000 },
  { user_id: "alice", cost_usd: 1.114159265, input_tokens: 500 },
  { user_id: "bob", cost_usd: 0.5 },
  { cost_usd: 4 },
] as const;
export const ALICE = 3.117159265;
export const TOTAL = 7.617159265;

export const policyWith = (privacy: object = {}) => ({
  hardCaps: WIDE,
  teams: [{ id: "eng" }],
  agents: [{ id: "ada", team: "eng" }],
  privacy: { enabled: true, ...privacy },
});

/** All was spent yesterday at noon, but for carol's dollar, which is of today. */
export async function privateWorld(privacy: object = {}, options: { ledger?: Ledger } = {}): Promise<World> {
  const world = await worldOf({ ...options, policy: policyWith(privacy) });
  world.at(START - DAY);
  for (const { cost_usd, ...rest } of SPENT) await spend(world, cost_usd, rest);
  world.at(START);
  await spend(world, 1, { user_id: "carol" });
  return world;
}

export async function spend(world: World, cost_usd: number, rest: { user_id?: string; input_tokens?: number } = {}) {
  const { input_tokens = 0, ...open } = rest;
  const { session_id } = await world.open(open);
  await world.report({ session_id, cost_usd, input_tokens });
  await world.end({ session_id, status: "success" });
}

/** What a viewer is told. */
export const told = (world: World, args: object = {}, principal: Principal = VIEWER): Promise<PrivateAnswer> =>
  world.costs({ days: 7, ...args }, principal) as Promise<PrivateAnswer>;

export type PrivateAnswer = Answer & {
  readonly total_cost_usd: number | null;
  readonly by_user: Readonly<Record<string, number>>;
  readonly privacy: {
    readonly withheld: readonly string[];
    readonly message: string;
    readonly start_date: string | null;
    readonly end_date: string | null;
  };
};

export type BudgetLine = {
  readonly uid: string;
  readonly total: number;
  readonly spent: number;
  readonly remaining: number;
  readonly releases: number;
  readonly resets: number;
  readonly reset_at: string | null;
  readonly lifetime_spent: number;
};

export async function budgetOf(world: World, uid: string): Promise<BudgetLine> {
  const { users } = await world.call("get_privacy_budget", { uid }, VIEWER);
  return (users as BudgetLine[])[0] as BudgetLine;
}

/** Accounts whose sums are not those of their releases. */
export async function wrongAccounts(ledger: Ledger): Promise<readonly unknown[]> {
  return await ledger.read(() =>
    raw(`select * from privacy_accounts a where
      epsilon_nano <> (select coalesce(sum(epsilon_nano), 0) from privacy_releases r where r.user_id = a.user_id)
      or rho_nano <> (select coalesce(sum(rho_nano), 0) from privacy_releases r where r.user_id = a.user_id)
      or releases <> (select count(*) from privacy_releases r where r.user_id = a.user_id)`),
  );
}
