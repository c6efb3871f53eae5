// What others are told of single users: numbers with noise, each charged to its user once, and nothing when that is spent.
import { blurred, type PrivacyPolicy, priceOf, type ReleaseMeasure } from "../core/privacy.ts";
import { fits } from "../core/privacy-account.ts";
import {
  findPrivacyAccount,
  findReleases,
  insertRelease,
  lockPrivacyAccount,
  type PrivacyAccount,
  type Release,
  spentOf,
} from "../ledger/privacy.ts";
import type { Work } from "../ledger/statement.ts";
import type { Context, Principal } from "./operation.ts";

/**
 * Must single users be hidden from this caller? From viewers of a workspace with `privacy.enabled`. Operators see all
 * as it is, an agent its own, whoever its users are.
 */
export const hidesUsers = ({ policy }: Context, principal: Principal): boolean =>
  policy.privacy.enabled && principal.kind === "viewer";

/** A viewer whose identity provider calls them as the ledger calls the user (`credentials.ts`): their own is theirs. */
export const isThatUser = (principal: Principal, userId: string): boolean =>
  principal.kind !== "agent" && principal.actor === `token ${userId}`;

/** What is asked, but for whom: `about` and whatever narrows it, days resolved. Equal parts make the same question. */
export type Question = Readonly<Record<string, string | null>> & { readonly about: string };

/** Numbers of an answer by their names, each with the bound that holds for it; one without a bound is not told. */
export type Wanted = Readonly<Record<string, ReleaseMeasure>>;

/** By user, then by name; in nano-dollars, or counts. */
export type Numbers = ReadonlyMap<string, Readonly<Record<string, bigint>>>;

export type Revealed = {
  /** With noise. A user of whom nothing may be told is not in it. */
  readonly told: Numbers;
  /** Users whose budget does not suffice for all that was asked. */
  readonly withheld: readonly string[];
};

/**
 * Answers a question about each of the users: what was told before is told again, what was not is told with noise and
 * charged, if that user's budget suffices. Whom it is told of must not depend on what they did. `exactOf` is asked only
 * for users who will be charged.
 */
export async function reveal(
  context: Context,
  question: Question,
  users: readonly string[],
  wanted: Wanted,
  exactOf: (users: readonly string[]) => Work<Numbers>,
): Promise<Revealed> {
  const asked = askedOf(context, question, wanted);
  const { found, charged, exact } = await context.ledger.read(function* () {
    const found = yield* lookAll(asked, users);
    const charged = found.filter(({ canPay }) => canPay).map(({ userId }) => userId);
    return { found, charged, exact: charged.length > 0 ? yield* exactOf(charged) : null };
  });
  if (exact === null) return revealedFrom(asked, found);
  return await context.ledger.write(function* () {
    const locked = yield* lockAll(asked, charged);
    const told = new Map<string, Known>();
    for (const each of locked) told.set(each.userId, yield* tell(context, asked, each, exact.get(each.userId) ?? {}));
    return revealedFrom(
      asked,
      found.map((each) => told.get(each.userId) ?? each),
    );
  });
}

type Asked = {
  readonly workspaceId: string;
  readonly privacy: PrivacyPolicy;
  /** In its one form. */
  readonly question: string;
  /** Name, measure and bound of each number that may be told. */
  readonly numbers: readonly (readonly [name: string, measure: ReleaseMeasure, bound: bigint])[];
};

type Known = {
  readonly userId: string;
  readonly told: ReadonlyMap<string, bigint>;
  /** Something is missing, and the user's budget suffices for all of it. */
  readonly canPay: boolean;
};

function askedOf({ policy: { workspace, privacy } }: Context, question: Question, wanted: Wanted): Asked {
  const numbers = Object.entries(wanted).flatMap(([name, measure]) => {
    const bound = privacy.bounds[measure];
    return bound === null ? [] : [[name, measure, bound] as const];
  });
  const parts = Object.entries(question).filter(([, value]) => value !== null);
  const sorted = Object.fromEntries(parts.sort(([a], [b]) => (a < b ? -1 : 1)));
  return { workspaceId: workspace.id, privacy, question: JSON.stringify(sorted), numbers };
}

function* lookAll(asked: Asked, users: readonly string[]): Work<Known[]> {
  const told = yield* toldOf(asked);
  const found: Known[] = [];
  for (const userId of users) {
    const isMissing = (told.get(userId)?.size ?? 0) < asked.numbers.length;
    found.push(knownOf(asked, isMissing ? yield* findPrivacyAccount(asked.workspaceId, userId) : null, userId, told));
  }
  return found;
}

/** The same with the accounts locked, in the order of their ids: what was told while a lock was waited for is seen. */
function* lockAll(asked: Asked, users: readonly string[]): Work<Known[]> {
  const accounts: PrivacyAccount[] = [];
  for (const userId of users.toSorted()) accounts.push(yield* lockPrivacyAccount(asked.workspaceId, userId));
  const told = yield* toldOf(asked);
  return accounts.map((account) => knownOf(asked, account, account.userId, told));
}

/** What was told already, by user and name. */
function* toldOf(asked: Asked): Work<Map<string, Map<string, bigint>>> {
  const told = new Map<string, Map<string, bigint>>();
  for (const release of yield* findReleases(asked.workspaceId, asked.question)) {
    if (!isSameNoise(asked, release)) continue;
    const numbers = told.get(release.userId) ?? new Map<string, bigint>();
    told.set(release.userId, numbers.set(release.measure, release.value));
  }
  return told;
}

function knownOf(
  { privacy, numbers }: Asked,
  account: PrivacyAccount | null,
  userId: string,
  told: Map<string, Map<string, bigint>>,
): Known {
  const known = told.get(userId) ?? new Map<string, bigint>();
  const missing = BigInt(numbers.length - known.size);
  const price = priceOf(privacy, missing);
  const isPaid = missing === 0n || account === null;
  return {
    userId,
    told: known,
    canPay: !isPaid && fits(privacy.epsilonTotal, spentOf(account), price, privacy.deltaAtto),
  };
}

/** With other noise it is another number: the operator changed the policy since. */
function isSameNoise({ privacy, numbers }: Asked, { measure, mechanism, price, bound }: Release): boolean {
  const { epsilon, rho } = priceOf(privacy);
  const isWanted = numbers.some(([name, , most]) => name === measure && most === bound);
  return isWanted && mechanism === privacy.mechanism && price.epsilon === epsilon && price.rho === rho;
}

/** Tells what is missing, if it can still be paid: the user's account is locked. */
function* tell(context: Context, asked: Asked, known: Known, exact: Readonly<Record<string, bigint>>): Work<Known> {
  if (!known.canPay) return known;
  const { workspaceId, privacy, question, numbers } = asked;
  const told = new Map(known.told);
  for (const [measure, kind, bound] of numbers) {
    if (told.has(measure)) continue;
    const value = blurred(privacy, kind, bound, exact[measure] ?? 0n, context.randomBytes);
    const { userId } = known;
    const release = { question, userId, measure, mechanism: privacy.mechanism, price: priceOf(privacy), bound, value };
    yield* insertRelease(workspaceId, release, context.now());
    told.set(measure, value);
  }
  return { ...known, told };
}

function revealedFrom({ numbers }: Asked, found: readonly Known[]): Revealed {
  const told = found.filter((each) => each.told.size > 0);
  return {
    told: new Map(told.map((each) => [each.userId, Object.fromEntries(each.told)])),
    withheld: found.filter((each) => each.told.size < numbers.length).map((each) => each.userId),
  };
}
