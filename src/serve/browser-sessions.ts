// Sessions of browsers: what a key is traded for when somebody signs in to the dashboard; kept in memory only.
import { randomBytes, timingSafeEqual } from "node:crypto";
import { sha256 } from "../context.ts";
import type { KeyHolder } from "../operations/authenticate.ts";

export type BrowserSession = {
  /** No secret: rate limits, streams and the audit go by it. */
  readonly id: string;
  readonly keyId: string;
  readonly workspaceId: string;
  readonly secretHash: string;
  /** Shown to our own page only; whoever changes something sends it back. */
  readonly csrfToken: string;
  /** Epoch ms. */
  readonly expiresAt: number;
};

/** A working day; then the key is asked for again. */
const LIFETIME_MS = 12 * 3_600_000;
/** One key's next session ends its oldest: nobody fills the memory by signing in. */
const MOST_OF_KEY = 20;
const SECRET_BYTES = 32;

export class BrowserSessions {
  /** By the hash of the secret, the oldest first: how long a look takes tells nothing about a secret. */
  readonly #sessions = new Map<string, BrowserSession>();

  begin(holder: KeyHolder, nowMs: number): { session: BrowserSession; secret: string } {
    const { keyId, workspaceId } = holder;
    this.#makeRoom(keyId, nowMs);
    const secret = randomBytes(SECRET_BYTES).toString("base64url");
    const session = {
      id: randomBytes(6).toString("hex"),
      keyId,
      workspaceId,
      secretHash: sha256(secret),
      csrfToken: randomBytes(SECRET_BYTES).toString("base64url"),
      expiresAt: Math.min(nowMs + LIFETIME_MS, holder.expiresAt ?? Number.POSITIVE_INFINITY),
    };
    this.#sessions.set(session.secretHash, session);
    return { session, secret };
  }

  find(secret: string, nowMs: number): BrowserSession | null {
    const session = this.#sessions.get(sha256(secret));
    return session && session.expiresAt > nowMs ? session : null;
  }

  has({ secretHash, expiresAt }: BrowserSession, nowMs: number): boolean {
    return this.#sessions.has(secretHash) && expiresAt > nowMs;
  }

  end({ secretHash }: BrowserSession): void {
    this.#sessions.delete(secretHash);
  }

  #makeRoom(keyId: string, nowMs: number): void {
    const all = [...this.#sessions.values()];
    for (const session of all) if (session.expiresAt <= nowMs) this.end(session);
    const own = all.filter((session) => session.keyId === keyId && this.has(session, nowMs));
    for (const session of own.slice(0, Math.max(0, own.length - MOST_OF_KEY + 1))) this.end(session);
  }
}

/** In constant time. */
export function isCsrfToken({ csrfToken }: BrowserSession, sent: unknown): boolean {
  if (typeof sent !== "string") return false;
  const [own, other] = [Buffer.from(csrfToken), Buffer.from(sent)];
  return own.length === other.length && timingSafeEqual(own, other);
}

const COOKIE = "astra_session";

/** The secret in a Cookie header; "" where ours is there but spoilt or twice, undefined where it is not. */
export function cookieSecret(header: string | undefined): string | undefined {
  const sent = (header ?? "").split(";").filter((each) => each.trimStart().startsWith(`${COOKIE}=`));
  const [only, another] = sent;
  if (only === undefined) return undefined;
  // A page of another port of this host can set a second one: which is ours nobody can say.
  if (another !== undefined) return "";
  return /=([\w-]{43})\s*$/.exec(only)?.[1] ?? "";
}

/** Scripts never see it, and pages of other sites never send it. */
export function cookieOf(secret: string, seconds: number, publicUrl: URL | null): string {
  const secure = publicUrl?.protocol === "https:" ? "; Secure" : "";
  return `${COOKIE}=${secret}; HttpOnly; SameSite=Strict; Path=/; Max-Age=${seconds}${secure}`;
}
