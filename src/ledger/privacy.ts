// The privacy budget's rows: users' accounts, which are locked and only grow, and the numbers that were released.
import type { Mechanism } from "../core/privacy.ts";
import type { PrivacyLoss } from "../core/privacy-account.ts";
import { all, first, statement, type Work } from "./statement.ts";
import type { PrivacyAccountsTable, PrivacyReleasesTable } from "./tables.ts";

export type PrivacyAccount = {
  readonly userId: string;
  /** Over all time; no reset lowers it. */
  readonly lifetime: PrivacyLoss;
  /** What the last reset forgave of it. */
  readonly forgiven: PrivacyLoss;
  readonly releases: number;
  readonly resets: number;
  /** Epoch ms. */
  readonly resetAt: number | null;
};

/** What counts against the total. */
export const spentOf = ({ lifetime, forgiven }: PrivacyAccount): PrivacyLoss => ({
  epsilon: lifetime.epsilon - forgiven.epsilon,
  rho: lifetime.rho - forgiven.rho,
});

const lock = statement((db, args: { workspaceId: string; userId: string }) =>
  db
    .insertInto("privacy_accounts")
    .values({
      workspace_id: args.workspaceId,
      user_id: args.userId,
      epsilon_nano: 0n,
      rho_nano: 0n,
      releases: 0n,
      forgiven_epsilon_nano: 0n,
      forgiven_rho_nano: 0n,
      resets: 0n,
      reset_at: null,
    })
    .onConflict((oc) =>
      oc.columns(["workspace_id", "user_id"]).doUpdateSet((eb) => ({ releases: eb.ref("privacy_accounts.releases") })),
    )
    .returningAll(),
);

/** The user's account, made if there is none, locked until the transaction ends. Several: in the order of their ids. */
export function* lockPrivacyAccount(workspaceId: string, userId: string): Work<PrivacyAccount> {
  const row = yield* first(lock, { workspaceId, userId });
  return row ? toAccount(row) : emptyAccount(userId);
}

const byUser = statement((db, args: { workspaceId: string; userId: string }) =>
  db
    .selectFrom("privacy_accounts")
    .selectAll()
    .where("workspace_id", "=", args.workspaceId)
    .where("user_id", "=", args.userId),
);

/** Without a lock: never decide a write on it. A user of whom nothing was told has an empty one. */
export function* findPrivacyAccount(workspaceId: string, userId: string): Work<PrivacyAccount> {
  const row = yield* first(byUser, { workspaceId, userId });
  return row ? toAccount(row) : emptyAccount(userId);
}

const add = statement(
  (db, args: { workspaceId: string; userId: string; epsilon: bigint; rho: bigint; releases: bigint }) =>
    db
      .updateTable("privacy_accounts")
      .set((eb) => ({
        epsilon_nano: eb("epsilon_nano", "+", args.epsilon),
        rho_nano: eb("rho_nano", "+", args.rho),
        releases: eb("releases", "+", args.releases),
      }))
      .where("workspace_id", "=", args.workspaceId)
      .where("user_id", "=", args.userId),
);

const insert = statement((db, args: { [Column in keyof PrivacyReleasesTable]: PrivacyReleasesTable[Column] }) =>
  db.insertInto("privacy_releases").values({
    workspace_id: args.workspace_id,
    question: args.question,
    user_id: args.user_id,
    measure: args.measure,
    mechanism: args.mechanism,
    epsilon_nano: args.epsilon_nano,
    rho_nano: args.rho_nano,
    bound: args.bound,
    value: args.value,
    released_at: args.released_at,
  }),
);

/** One number of one question. */
export type Release = {
  /** The question in its one form: the same text is the same question. */
  readonly question: string;
  readonly userId: string;
  /** As the answer calls it: "cost_usd". */
  readonly measure: string;
  readonly mechanism: Mechanism;
  readonly price: PrivacyLoss;
  /** In the measure's own unit, as the value. */
  readonly bound: bigint;
  readonly value: bigint;
};

/** Writes the number down and charges its user, whose account must be locked. */
export function* insertRelease(workspaceId: string, release: Release, atMs: number): Work<void> {
  const { question, userId, measure, mechanism, price, bound, value } = release;
  yield* all(insert, {
    workspace_id: workspaceId,
    question,
    user_id: userId,
    measure,
    mechanism,
    epsilon_nano: price.epsilon,
    rho_nano: price.rho,
    bound,
    value,
    released_at: BigInt(atMs),
  });
  yield* all(add, { workspaceId, userId, ...price, releases: 1n });
}

const answered = statement((db, args: { workspaceId: string; question: string }) =>
  db
    .selectFrom("privacy_releases")
    .selectAll()
    .where("workspace_id", "=", args.workspaceId)
    .where("question", "=", args.question),
);

/** All that was answered to a question, about whomever and with whatever noise. */
export function* findReleases(workspaceId: string, question: string): Work<Release[]> {
  return (yield* all(answered, { workspaceId, question })).map((row) => ({
    question: row.question,
    userId: row.user_id,
    measure: row.measure,
    mechanism: row.mechanism,
    price: { epsilon: row.epsilon_nano, rho: row.rho_nano },
    bound: row.bound,
    value: row.value,
  }));
}

const forgive = statement((db, args: { workspaceId: string; userId: string; at: bigint }) =>
  db
    .updateTable("privacy_accounts")
    .set((eb) => ({
      forgiven_epsilon_nano: eb.ref("epsilon_nano"),
      forgiven_rho_nano: eb.ref("rho_nano"),
      resets: eb("resets", "+", 1n),
      reset_at: args.at,
    }))
    .where("workspace_id", "=", args.workspaceId)
    .where("user_id", "=", args.userId),
);

/** All that was spent is forgiven; what was told stays told. The account must be locked. */
export function* resetPrivacyAccount(workspaceId: string, userId: string, atMs: number): Work<void> {
  yield* all(forgive, { workspaceId, userId, at: BigInt(atMs) });
}

const emptyAccount = (userId: string): PrivacyAccount => ({
  userId,
  lifetime: { epsilon: 0n, rho: 0n },
  forgiven: { epsilon: 0n, rho: 0n },
  releases: 0,
  resets: 0,
  resetAt: null,
});

function toAccount(row: PrivacyAccountsTable): PrivacyAccount {
  return {
    userId: row.user_id,
    lifetime: { epsilon: row.epsilon_nano, rho: row.rho_nano },
    forgiven: { epsilon: row.forgiven_epsilon_nano, rho: row.forgiven_rho_nano },
    releases: Number(row.releases),
    resets: Number(row.resets),
    resetAt: row.reset_at === null ? null : Number(row.reset_at),
  };
}
