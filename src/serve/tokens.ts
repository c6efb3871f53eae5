// JSON Web Tokens: those we issue for a key, and those of an identity provider whose keys are public.
import { randomBytes } from "node:crypto";
import { createRemoteJWKSet, decodeProtectedHeader, errors, type JWTPayload, jwtVerify, SignJWT } from "jose";
import { AstraError } from "../core/error.ts";
import type { KeyHolder } from "../operations/authenticate.ts";
import { wrongSetting } from "./settings.ts";

/** How long an issued token lives, in seconds. */
const LIFETIME_S = 900;
/** A token that is older than this is refused, whatever its `exp`: nobody could take it back. */
const OLDEST = "24h";
const LEAST_SECRET = 32;
const PUBLIC_ALGORITHMS = ["RS256", "ES256", "EdDSA"];

/** Read from the environment; see README, "Environment variables". */
export type TokenSettings = {
  readonly secret: string | undefined;
  readonly jwksUrl: string | undefined;
  readonly issuer: string;
  readonly audience: string;
};

export type Claims = {
  readonly subject: string;
  readonly role: unknown;
  readonly agentId: unknown;
  readonly workspaceId: unknown;
  /** Is it one that we issued for a key? Then the key must still work. */
  readonly origin: "ours" | "foreign";
  /** Epoch ms. */
  readonly expiresAt: number;
};

export type Tokens = {
  issue(holder: KeyHolder, nowMs: number): Promise<{ token: string; expiresAt: number }>;
  /** Throws `unauthenticated` for every token that is not valid now. */
  verify(token: string, nowMs: number): Promise<Claims>;
};

export function tokensOf(settings: TokenSettings, log: (text: string) => void): Tokens {
  if (settings.secret !== undefined && Buffer.byteLength(settings.secret) < LEAST_SECRET)
    throw wrongSetting(
      "ASTRA_JWT_SECRET",
      `expected at least ${LEAST_SECRET} bytes, such as from: openssl rand -base64 32`,
    );
  // Without a secret tokens live as long as this process, which is longer than any of them.
  const secret = settings.secret === undefined ? randomBytes(LEAST_SECRET) : new TextEncoder().encode(settings.secret);
  const jwks = settings.jwksUrl === undefined ? null : createRemoteJWKSet(jwksUrl(settings.jwksUrl));
  const { issuer, audience } = settings;

  const check = async (token: string, now: Date): Promise<JWTPayload & { origin: Claims["origin"] }> => {
    const expected = {
      issuer,
      audience,
      requiredClaims: ["exp", "sub"],
      clockTolerance: 5,
      currentDate: now,
      maxTokenAge: OLDEST,
    };
    // The algorithm decides which key is tried, and each key is tried with its own algorithms only.
    if (algorithmOf(token) === "HS256") {
      const { payload } = await jwtVerify(token, secret, { ...expected, algorithms: ["HS256"] });
      // Whoever knows the secret may speak for a key, or for somebody who has none.
      return { ...payload, origin: payload.key === undefined ? "foreign" : "ours" };
    }
    if (jwks === null) throw new errors.JOSENotSupported("no JWKS is configured");
    const { payload } = await jwtVerify(token, jwks, {
      ...expected,
      algorithms: PUBLIC_ALGORITHMS,
    });
    return { ...payload, origin: "foreign" };
  };

  let complainedAt = 0;
  const complain = (text: string, nowMs: number) => {
    if (nowMs - complainedAt < 60_000) return;
    complainedAt = nowMs;
    log(text);
  };

  return {
    issue: async (holder, nowMs) => {
      const { principal } = holder;
      const expiresAt = Math.min(nowMs + LIFETIME_S * 1_000, holder.expiresAt ?? Number.POSITIVE_INFINITY);
      const token = await new SignJWT({
        role: principal.kind,
        workspace: holder.workspaceId,
        ...(principal.kind === "agent" ? { agent_id: principal.agentId } : {}),
        key: holder.keyId,
      })
        .setProtectedHeader({ alg: "HS256", typ: "JWT" })
        .setSubject(holder.keyId)
        .setIssuer(issuer)
        .setAudience(audience)
        .setIssuedAt(Math.floor(nowMs / 1_000))
        .setExpirationTime(Math.floor(expiresAt / 1_000))
        .sign(secret);
      return { token, expiresAt };
    },
    verify: async (token, nowMs) => {
      try {
        const { sub, role, agent_id, workspace, origin, exp } = await check(token, new Date(nowMs));
        return {
          subject: subjectOf(sub),
          role,
          agentId: agent_id,
          workspaceId: workspace,
          origin,
          expiresAt: Number(exp) * 1_000,
        };
      } catch (error) {
        if (isOurTrouble(error)) complain(`tokens cannot be checked: ${error}`, nowMs);
        // What exactly is wrong with it is nobody's business who cannot make one.
        throw unauthenticated("The token is not valid, or not any more.");
      }
    },
  };
}

function algorithmOf(token: string): string | undefined {
  try {
    return decodeProtectedHeader(token).alg;
  } catch {
    throw new errors.JWTInvalid("not a token at all");
  }
}

/** The identity provider's keys cannot be had; all else is wrong with the token. */
const isOurTrouble = (error: unknown): boolean =>
  !(error instanceof errors.JOSEError) ||
  error instanceof errors.JWKSTimeout ||
  error instanceof errors.JWKSInvalid ||
  error.code === errors.JOSEError.code;

/** It goes into the audit and the rate limiter's table: plain and short. */
function subjectOf(subject: string | undefined): string {
  if (subject === undefined || !/^[\x21-\x7e]{1,200}$/.test(subject))
    throw new errors.JWTInvalid("a subject of another form");
  return subject;
}

function jwksUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isSafe =
    url?.protocol === "https:" || (url?.protocol === "http:" && ["localhost", "127.0.0.1"].includes(url.hostname));
  if (!url || !isSafe) throw wrongSetting("ASTRA_JWKS_URL", "expected an https URL");
  return url;
}

export function unauthenticated(message: string): AstraError {
  return new AstraError(
    "unauthenticated",
    message,
    "Send X-API-Key: oc_…, or Authorization: Bearer with a key or a token of POST /auth/token.",
  );
}
