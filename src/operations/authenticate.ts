// Who a key belongs to: what a face that authenticates its callers needs of the ledger.
import { type ApiKey, findKey, findKeyByHash, markKeyUsed } from "../ledger/keys.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { KeyRole } from "../ledger/tables.ts";
import { isInForce } from "./keys.ts";
import type { Principal } from "./operation.ts";

/** A key that works. */
export type KeyHolder = {
  readonly keyId: string;
  readonly workspaceId: string;
  /** SHA-256 of the secret, for the caller to compare in constant time. */
  readonly secretHash: string;
  readonly principal: Principal;
  /** Epoch ms; null = never. */
  readonly expiresAt: number | null;
  readonly lastUsedAt: number | null;
};

/** By the hash of its secret, in whatever workspace; null for one that is unknown, expired or revoked. */
export async function keyBySecretHash(ledger: Ledger, hash: string, nowMs: number): Promise<KeyHolder | null> {
  return holderOf(await ledger.read(() => findKeyByHash(hash)), nowMs);
}

export async function keyById(
  ledger: Ledger,
  workspaceId: string,
  id: string,
  nowMs: number,
): Promise<KeyHolder | null> {
  return holderOf(await ledger.read(() => findKey(workspaceId, id)), nowMs);
}

export async function recordKeyUse(ledger: Ledger, { workspaceId, keyId }: KeyHolder, nowMs: number): Promise<void> {
  await ledger.write(() => markKeyUsed(workspaceId, keyId, nowMs));
}

function holderOf(key: ApiKey | undefined, nowMs: number): KeyHolder | null {
  if (!key || !isInForce(key, nowMs)) return null;
  const principal = principalOf(key.role, key.agentId, key.id);
  if (!principal) return null;
  const { id: keyId, workspaceId, secretHash, expiresAt, lastUsedAt } = key;
  return { keyId, workspaceId, secretHash, principal, expiresAt, lastUsedAt };
}

/** Null where an agent's credential names no agent: such a one would speak for all. */
export function principalOf(role: KeyRole, agentId: string | null, actor: string): Principal | null {
  if (role !== "agent") return { kind: role, actor };
  return agentId === null ? null : { kind: "agent", agentId };
}
