// What every engine must do with users, their privacy accounts and what was released of them.
import { expect, test } from "vitest";
import type { Ledger } from "../../../src/ledger/ledger.ts";
import {
  findPrivacyAccount,
  findReleases,
  insertRelease,
  lockPrivacyAccount,
  type Release,
  resetPrivacyAccount,
  spentOf,
} from "../../../src/ledger/privacy.ts";
import { isUser, usersAfter } from "../../../src/ledger/users.ts";
import { START } from "../../world.ts";
import { raw } from "../engines.ts";
import { aSession, HUGE, seeded, WORKSPACE } from "../fixtures.ts";

const RELEASE: Release = {
  question: '{"about":"costs"}',
  userId: "alice",
  measure: "cost_usd",
  mechanism: "laplace",
  price: { epsilon: 500_000_000n, rho: 0n },
  bound: HUGE,
  value: -HUGE,
};

const NONE = { epsilon: 0n, rho: 0n };

export function privacySteps(ledger: () => Ledger): void {
  const account = (userId: string, workspaceId = WORKSPACE) =>
    ledger().read(() => findPrivacyAccount(workspaceId, userId));
  const release = (changes: Partial<Release> = {}, workspaceId = WORKSPACE) =>
    ledger().write(function* () {
      const each = { ...RELEASE, ...changes };
      yield* lockPrivacyAccount(workspaceId, each.userId);
      yield* insertRelease(workspaceId, each, START);
    });

  test("a release is found by its question, with its sign and every digit, and charged to the user", async () => {
    await release();
    await release({ measure: "charges", mechanism: "gaussian", price: { epsilon: 0n, rho: 7n } });
    await release({ userId: "bob" });
    await release({}, "another");
    const found = await ledger().read(() => findReleases(WORKSPACE, RELEASE.question));
    expect(found).toHaveLength(3);
    expect(found).toContainEqual(RELEASE);
    expect(found).toContainEqual({ ...RELEASE, userId: "bob" });
    expect(await ledger().read(() => findReleases(WORKSPACE, "{}"))).toEqual([]);
    expect(await account("alice")).toEqual({
      userId: "alice",
      lifetime: { epsilon: 500_000_000n, rho: 7n },
      forgiven: NONE,
      releases: 2,
      resets: 0,
      resetAt: null,
    });
    expect(await account("bob")).toMatchObject({ releases: 1 });
    expect(await account("alice", "another")).toMatchObject({ releases: 1 });
    expect(await account("eve")).toMatchObject({ lifetime: NONE, releases: 0 });
  });

  test("the same number is not released twice, nor charged twice; with other noise it is another number", async () => {
    await release();
    await expect(release({ value: 5n })).rejects.toThrow();
    expect(await account("alice")).toMatchObject({ lifetime: { epsilon: 500_000_000n, rho: 0n }, releases: 1 });
    await release({ bound: 5n });
    await release({ price: { epsilon: 1n, rho: 0n } });
    expect(await account("alice")).toMatchObject({ lifetime: { epsilon: 1_000_000_001n, rho: 0n }, releases: 3 });
  });

  test("locking an account makes it once and changes nothing of it", async () => {
    await release();
    const before = await account("alice");
    expect(await ledger().write(() => lockPrivacyAccount(WORKSPACE, "alice"))).toEqual(before);
    expect(await account("alice")).toEqual(before);
    expect(await ledger().write(() => lockPrivacyAccount(WORKSPACE, "new"))).toMatchObject({ releases: 0 });
  });

  test("a reset forgives what was spent until then; what was told in all only grows", async () => {
    await release();
    await ledger().write(() => resetPrivacyAccount(WORKSPACE, "alice", START + 9));
    const reset = await account("alice");
    expect(reset).toMatchObject({ resets: 1, resetAt: START + 9, releases: 1, lifetime: RELEASE.price });
    expect(spentOf(reset)).toEqual(NONE);
    await release({ measure: "charges" });
    expect(spentOf(await account("alice"))).toEqual(RELEASE.price);
    expect(await account("alice")).toMatchObject({ lifetime: { epsilon: 1_000_000_000n, rho: 0n } });
    expect(await ledger().read(() => findReleases(WORKSPACE, RELEASE.question))).toHaveLength(2);
  });

  test("an account cannot forgive more than was spent, nor spend less than nothing", async () => {
    await release();
    for (const wrong of ["forgiven_epsilon_nano = 500000001", "epsilon_nano = -1", "forgiven_rho_nano = 1"])
      await expect(
        ledger().write(() => raw(`update privacy_accounts set ${wrong}`)),
        wrong,
      ).rejects.toThrow();
  });

  test("users are those of sessions and of accounts, each once, by the page, of their own workspace", async () => {
    expect(await ledger().read(() => usersAfter(WORKSPACE, "", 10))).toEqual([]);
    await ledger().write(function* () {
      for (const userId of ["dave", "alice", "carol", null, "alice", "zoë", "bob"]) yield* seeded(aSession({ userId }));
      yield* seeded(aSession({ userId: "mallory", workspaceId: "another" }));
    });
    await release();
    await release({ userId: "pruned" });
    const users = (after: string, limit: number) => ledger().read(() => usersAfter(WORKSPACE, after, limit));
    expect(await users("", 10)).toEqual(["alice", "bob", "carol", "dave", "pruned", "zoë"]);
    expect(await users("", 2)).toEqual(["alice", "bob"]);
    expect(await users("bob", 2)).toEqual(["carol", "dave"]);
    expect(await users("c", 1)).toEqual(["carol"]);
    expect(await users("zoë", 10)).toEqual([]);
    const known = async (userId: string) => ledger().read(() => isUser(WORKSPACE, userId));
    expect([await known("alice"), await known("pruned"), await known("mallory"), await known("x")]).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
}
