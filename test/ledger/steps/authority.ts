// What every engine must do with keys, grants, team limits, the audit and kept answers.
import { expect, test } from "vitest";
import { findAnswer, insertAnswer } from "../../../src/ledger/answers.ts";
import {
  type AuditEntry,
  appendAudit,
  auditBelow,
  findAuditHead,
  lockAuditHead,
  newestAudit,
} from "../../../src/ledger/audit.ts";
import { findGrant, type Grant, grantsInForce, insertGrant, revokeGrant } from "../../../src/ledger/grants.ts";
import {
  type ApiKey,
  findKey,
  findKeyByHash,
  insertKey,
  listKeys,
  markKeyUsed,
  revokeKey,
} from "../../../src/ledger/keys.ts";
import type { Ledger } from "../../../src/ledger/ledger.ts";
import { findTeamLimits, putTeamLimit } from "../../../src/ledger/team-limits.ts";
import { START } from "../../world.ts";
import { HUGE, WORKSPACE } from "../fixtures.ts";

const KEY: ApiKey = {
  id: "key_1",
  workspaceId: WORKSPACE,
  name: "Ann's <laptop>",
  role: "agent",
  agentId: "ada",
  secretHash: "ab".repeat(32),
  secretStart: "oc_abcd",
  createdAt: START,
  createdBy: "terminal",
  expiresAt: START + 1,
  lastUsedAt: null,
  revokedAt: null,
};

const GRANT: Grant = {
  id: "grant_1",
  workspaceId: WORKSPACE,
  scope: "team",
  scopeId: "night",
  window: "day",
  measure: "cost_usd",
  amount: HUGE,
  reason: "Release day",
  createdAt: START,
  createdBy: "key_1",
  expiresAt: START + 1_000,
  revokedAt: null,
};

const entry = (seq: number, rest: Partial<AuditEntry> = {}): AuditEntry => ({
  workspaceId: WORKSPACE,
  seq,
  at: START + seq,
  actor: "key_1",
  role: "owner",
  action: "stop",
  target: "agent ada",
  before: "null",
  after: '{"reason":"x"}',
  why: null,
  previousHash: `hash ${seq - 1}`,
  hash: `hash ${seq}`,
  ...rest,
});

export function authoritySteps(ledger: () => Ledger): void {
  test("a key is found by its hash and its id, of its own workspace, until it is told to be revoked", async () => {
    await ledger().write(() => insertKey(KEY));
    await ledger().write(() =>
      insertKey({ ...KEY, id: "key_2", secretHash: "cd".repeat(32), role: "owner", agentId: null, expiresAt: null }),
    );
    expect(await ledger().read(() => findKeyByHash(KEY.secretHash))).toEqual(KEY);
    expect(await ledger().read(() => findKeyByHash("ef".repeat(32)))).toBeUndefined();
    expect(await ledger().read(() => findKey("another", "key_1"))).toBeUndefined();
    await ledger().write(() => markKeyUsed(WORKSPACE, "key_1", START + 5));
    await ledger().write(() => revokeKey(WORKSPACE, "key_1", START + 7));
    await ledger().write(() => revokeKey(WORKSPACE, "key_1", START + 9));
    expect(await ledger().read(() => findKey(WORKSPACE, "key_1"))).toEqual({
      ...KEY,
      lastUsedAt: START + 5,
      revokedAt: START + 7,
    });
    expect((await ledger().read(() => listKeys(WORKSPACE))).map((key) => key.id)).toEqual(["key_2", "key_1"]);
    expect(await ledger().read(() => listKeys("another"))).toEqual([]);
  });

  test("two keys of one secret, an agent's key without an agent and an owner's with one cannot be", async () => {
    await ledger().write(() => insertKey(KEY));
    for (const wrong of [
      { id: "key_2" },
      { id: "key_3", secretHash: "1", agentId: null },
      { id: "key_4", secretHash: "2", role: "owner" as const },
    ])
      await expect(ledger().write(() => insertKey({ ...KEY, ...wrong }))).rejects.toThrow();
    expect(await ledger().read(() => listKeys(WORKSPACE))).toHaveLength(1);
  });

  test("a grant is in force until it expires or is revoked, the newest first", async () => {
    await ledger().write(() => insertGrant(GRANT));
    await ledger().write(() => insertGrant({ ...GRANT, id: "grant_2", expiresAt: START + 2_000 }));
    const inForce = async (atMs: number) =>
      (await ledger().read(() => grantsInForce(WORKSPACE, atMs))).map((grant) => grant.id);
    expect(await inForce(START)).toEqual(["grant_2", "grant_1"]);
    expect(await inForce(START + 1_000)).toEqual(["grant_2"]);
    await ledger().write(() => revokeGrant(WORKSPACE, "grant_2", START + 3));
    expect(await inForce(START)).toEqual(["grant_1"]);
    expect(await ledger().read(() => findGrant(WORKSPACE, "grant_2"))).toMatchObject({
      revokedAt: START + 3,
      amount: HUGE,
    });
    expect(await ledger().read(() => grantsInForce("another", START))).toEqual([]);
    await expect(ledger().write(() => insertGrant({ ...GRANT, id: "grant_3", amount: 0n }))).rejects.toThrow();
  });

  test("a team's limit is set, taken away and set again; what was never set is absent", async () => {
    const limits = () => ledger().read(() => findTeamLimits(WORKSPACE, "night"));
    expect(await limits()).toEqual({});
    await ledger().write(() => putTeamLimit(WORKSPACE, "night", "daily_cost", HUGE, START));
    expect(await limits()).toEqual({ daily_cost: HUGE });
    await ledger().write(() => putTeamLimit(WORKSPACE, "night", "daily_cost", null, START));
    await ledger().write(() => putTeamLimit(WORKSPACE, "night", "task_cost", 0n, START));
    expect(await limits()).toEqual({ daily_cost: null, task_cost: 0n });
    expect(await ledger().read(() => findTeamLimits("another", "night"))).toEqual({});
  });

  test("the audit grows at its head only, and is read from its end", async () => {
    expect(await ledger().read(() => findAuditHead(WORKSPACE))).toEqual({ seq: 0, hash: "" });
    for (const seq of [1, 2, 3]) {
      await ledger().write(function* () {
        expect((yield* lockAuditHead(WORKSPACE)).seq).toBe(seq - 1);
        yield* appendAudit(entry(seq, seq === 2 ? { action: "grant", why: "because" } : {}));
      });
    }
    expect(await ledger().read(() => findAuditHead(WORKSPACE))).toEqual({ seq: 3, hash: "hash 3" });
    expect(await ledger().read(() => auditBelow(WORKSPACE, 3, 10))).toEqual([
      entry(2, { action: "grant", why: "because" }),
      entry(1),
    ]);
    expect(await ledger().read(() => newestAudit(WORKSPACE, "stop"))).toEqual(entry(3));
    expect(await ledger().read(() => newestAudit("another", "stop"))).toBeUndefined();
    await expect(ledger().write(() => appendAudit(entry(3)))).rejects.toThrow();
  });

  test("an answer is kept under its workspace, caller and key", async () => {
    const key = { workspaceId: WORKSPACE, caller: "key_1", key: "k" };
    await ledger().write(() => insertAnswer(key, "request", '{"a":1}', START));
    expect(await ledger().read(() => findAnswer(key))).toEqual({ request: "request", answer: '{"a":1}' });
    for (const other of [{ workspaceId: "another" }, { caller: "key_2" }, { key: "K" }])
      expect(await ledger().read(() => findAnswer({ ...key, ...other }))).toBeUndefined();
    await expect(ledger().write(() => insertAnswer(key, "other", "{}", START))).rejects.toThrow();
  });

  test("its number of changes moves with every commit and with nothing else", async () => {
    const before = await ledger().changes();
    expect(await ledger().changes()).toBe(before);
    await ledger().write(() => putTeamLimit(WORKSPACE, "night", "daily_cost", 1n, START));
    const after = await ledger().changes();
    expect(after).not.toBe(before);
    await ledger().read(() => findTeamLimits(WORKSPACE, "night"));
    expect(await ledger().changes()).toBe(after);
  });
}
