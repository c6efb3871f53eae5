// Who calls: from an API key, a token or a browser's cookie to a principal in a workspace, remembered for a second.
import { timingSafeEqual } from "node:crypto";
import { sha256 } from "../context.ts";
import { callerId } from "../core/id.ts";
import type { KnownCaller } from "../faces/caller.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { type KeyHolder, keyById, keyBySecretHash, principalOf, recordKeyUse } from "../operations/authenticate.ts";
import { KEY_PREFIX, keyRole } from "../operations/keys.ts";
import type { Context, Principal } from "../operations/operation.ts";
import { type BrowserSession, type BrowserSessions, cookieSecret } from "./browser-sessions.ts";
import { type Tokens, unauthenticated } from "./tokens.ts";

/** Rate limits go by its id, as protocol sessions do. */
export type Caller = Required<KnownCaller> & {
  /** The key itself; null for tokens and cookies. */
  readonly holder: KeyHolder | null;
  /** Of a caller that nothing but a cookie speaks for. */
  readonly browser: BrowserSession | null;
};

/** How long a caller is remembered: a key that is revoked elsewhere works this much longer. */
const MEMORY_MS = 1_000;
const MOST_REMEMBERED = 10_000;
/** `last_used_at` is for people: a write for each request would cost more than the request. */
const USE_RECORDED_MS = 60_000;

type Found = { readonly caller: Caller /** Epoch ms. */; readonly expiresAt: number };

export type Headers = {
  readonly apiKey: string | undefined;
  readonly authorization: string | undefined;
  /** Undefined also where no cookie is taken. */
  readonly cookie: string | undefined;
};

export class Credentials {
  /** By the credential itself: to hash it costs more than all else the gate does. */
  readonly #remembered = new Map<string, { caller: Caller; until: number }>();
  readonly #uses = new Map<string, number>();
  readonly #ledger: Ledger;
  readonly #contexts: readonly Context[];
  readonly #tokens: Tokens;
  readonly #browsers: BrowserSessions;
  readonly #log: (text: string) => void;

  constructor(
    ledger: Ledger,
    contexts: readonly Context[],
    known: { readonly tokens: Tokens; readonly browsers: BrowserSessions },
    log: (text: string) => void,
  ) {
    this.#ledger = ledger;
    this.#contexts = contexts;
    this.#tokens = known.tokens;
    this.#browsers = known.browsers;
    this.#log = log;
  }

  /** Throws `unauthenticated` for a credential that is missing, malformed, unknown, expired or revoked. */
  async callerOf(headers: Headers): Promise<Caller> {
    const now = Date.now();
    const cookie = (headers.apiKey ?? headers.authorization) ? undefined : cookieSecret(headers.cookie);
    if (cookie !== undefined) {
      // Before anything is remembered: who signed out is out at once.
      const session = this.#browsers.find(cookie, now);
      if (!session) throw unauthenticated("This browser is not signed in, or not any more.");
      return await this.#remember(`cookie ${session.secretHash}`, now, () => this.#byCookie(session, now));
    }
    const secret = secretOf(headers);
    return await this.#remember(secret, now, () =>
      secret.startsWith(KEY_PREFIX) ? this.#byKey(sha256(secret), now) : this.#byToken(secret, now),
    );
  }

  async #remember(credential: string, now: number, look: () => Promise<Found>): Promise<Caller> {
    const known = this.#remembered.get(credential);
    if (known && known.until > now) return known.caller;
    const { caller, expiresAt } = await look();
    if (this.#remembered.size >= MOST_REMEMBERED) this.#remembered.clear();
    this.#remembered.set(credential, { caller, until: Math.min(now + MEMORY_MS, expiresAt) });
    return caller;
  }

  /** After a key was revoked here: nobody is remembered. */
  forget(): void {
    this.#remembered.clear();
  }

  async #byKey(hash: string, now: number): Promise<Found> {
    const holder = await keyBySecretHash(this.#ledger, hash, now);
    if (!holder || !timingSafeEqual(Buffer.from(holder.secretHash), Buffer.from(hash))) throw unknownKey();
    return { caller: this.#holding(holder, now), expiresAt: holder.expiresAt ?? Number.POSITIVE_INFINITY };
  }

  #holding(holder: KeyHolder, now: number): Caller {
    const context = this.#contextOf(holder.workspaceId);
    if (!context) throw unknownKey();
    this.#recordUse(holder, now);
    const stillMay = async () => (await keyById(this.#ledger, holder.workspaceId, holder.keyId, Date.now())) !== null;
    return { context, principal: holder.principal, id: `key ${holder.keyId}`, holder, browser: null, stillMay };
  }

  /** It has a limit of requests of its own: a page that is open takes nothing from the key's programs. */
  async #byCookie(session: BrowserSession, now: number): Promise<Found> {
    const holder = await keyById(this.#ledger, session.workspaceId, session.keyId, now);
    if (!holder) {
      this.#browsers.end(session);
      throw unknownKey();
    }
    const own = this.#holding(holder, now);
    const stillMay = async () => this.#browsers.has(session, Date.now()) && (await own.stillMay());
    const caller = { ...own, id: `browser ${session.id}`, holder: null, browser: session, stillMay };
    return { caller, expiresAt: session.expiresAt };
  }

  async #byToken(token: string, now: number): Promise<Found> {
    const claims = await this.#tokens.verify(token, now);
    const context = this.#contextOf(claims.workspaceId ?? this.#onlyWorkspace());
    if (!context) throw wrongClaims();
    if (claims.origin === "ours") {
      const holder = await keyById(this.#ledger, context.policy.workspace.id, claims.subject, now);
      if (!holder) throw unknownKey();
      // What it opened ends with the key: for a stream no new token can be sent.
      return { caller: { ...this.#holding(holder, now), holder: null }, expiresAt: claims.expiresAt };
    }
    const actor = `token ${claims.subject}`;
    const principal = foreignPrincipal(claims.role, claims.agentId, actor);
    if (!principal) throw wrongClaims();
    return {
      caller: {
        context,
        principal,
        id: `${context.policy.workspace.id} ${actor}`,
        holder: null,
        browser: null,
        stillMay: async () => Date.now() < claims.expiresAt,
      },
      expiresAt: claims.expiresAt,
    };
  }

  #contextOf(workspaceId: unknown): Context | undefined {
    return this.#contexts.find((context) => context.policy.workspace.id === workspaceId);
  }

  /** A token need not name the workspace where there is one only. */
  #onlyWorkspace(): string | undefined {
    return this.#contexts.length === 1 ? this.#contexts[0]?.policy.workspace.id : undefined;
  }

  #recordUse(holder: KeyHolder, now: number): void {
    const last = Math.max(holder.lastUsedAt ?? 0, this.#uses.get(holder.keyId) ?? 0);
    if (now - last < USE_RECORDED_MS) return;
    this.#uses.set(holder.keyId, now);
    recordKeyUse(this.#ledger, holder, now).catch((error) => this.#log(`a key's use was not recorded: ${error}`));
  }
}

const ANONYMOUS = "anonymous";

/** The one who calls under `--insecure-no-auth`: the owner, whoever it is. */
export function anonymous(context: Context): Caller {
  const principal = { kind: "owner", actor: ANONYMOUS } as const;
  return { context, principal, id: ANONYMOUS, holder: null, browser: null, stillMay: async () => true };
}

export function isAnonymous({ principal }: Caller): boolean {
  return principal.kind === "owner" && principal.actor === ANONYMOUS;
}

/** X-API-Key, or a bearer that is a key or a token; two credentials at once are one too many. */
function secretOf({ apiKey, authorization }: Headers): string {
  const bearer = /^Bearer +([\x21-\x7e]+) *$/i.exec(authorization ?? "")?.[1];
  if (apiKey !== undefined && authorization !== undefined) throw unauthenticated("Send one credential, not two.");
  if (apiKey !== undefined && !apiKey.startsWith(KEY_PREFIX)) throw unknownKey();
  const secret = apiKey ?? bearer;
  if (secret === undefined) throw unauthenticated("This needs a key or a token.");
  return secret;
}

function foreignPrincipal(role: unknown, agentId: unknown, actor: string): Principal | null {
  const known = keyRole.safeParse(role);
  const agent = callerId.safeParse(agentId);
  return known.success ? principalOf(known.data, agent.success ? agent.data : null, actor) : null;
}

const unknownKey = () => unauthenticated("The key is unknown, expired or revoked.");
const wrongClaims = () => unauthenticated("The token names no role, agent or workspace that this server knows.");
