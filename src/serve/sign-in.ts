// The routes by which the dashboard's page signs in and out, and finds out who it is.
import type { Hono, Context as Http } from "hono";
import { AstraError } from "../core/error.ts";
import { methodNotAllowed } from "../faces/rest/problem.ts";
import { invoke } from "../operations/operation.ts";
import { recordSignIn } from "../operations/sign-in.ts";
import type { Env } from "./app.ts";
import { type BrowserSession, type BrowserSessions, cookieOf } from "./browser-sessions.ts";
import { type Caller, isAnonymous } from "./credentials.ts";

export type SignIn = {
  readonly version: string;
  readonly browsers: BrowserSessions;
  readonly publicUrl: URL | null;
  /** Ends what is open of a caller. */
  readonly drop: (callerId: string) => Promise<void>;
};

const PATH = "/auth/session";

export function mountSignIn(app: Hono<Env>, options: SignIn): void {
  const { version, browsers, publicUrl, drop } = options;
  app.use(PATH, async (http, next) => {
    http.env.seen.route = PATH;
    await next();
  });
  app.post(PATH, async (http) => {
    const { caller } = http.env;
    const { holder, principal } = caller;
    if (!holder) throw new AstraError("forbidden", "Only a key opens a session of a browser.", "Send X-API-Key: oc_…");
    if (principal.kind === "agent")
      throw new AstraError(
        "forbidden",
        "The key of an agent opens no session of a browser.",
        "Sign in with the key of a viewer, an operator or an owner: astra-budget key create --role viewer.",
      );
    const now = Date.now();
    const { session, secret } = browsers.begin(holder, now);
    try {
      await record("sign_in", caller, session);
    } catch (error) {
      browsers.end(session);
      throw error;
    }
    http.header("set-cookie", cookieOf(secret, Math.floor((session.expiresAt - now) / 1_000), publicUrl));
    return http.json(shown(caller, session, version), 201);
  });
  app.get(PATH, (http) => http.json(shown(http.env.caller, ownSession(http), version)));
  app.delete(PATH, async (http) => {
    const { caller } = http.env;
    const session = ownSession(http);
    if (session) {
      // First of all: whatever fails below, it is over.
      browsers.end(session);
      await drop(caller.id);
      await record("sign_out", caller, session);
    }
    http.header("set-cookie", cookieOf("", 0, publicUrl));
    return http.body(null, 204);
  });
  app.all(PATH, () => methodNotAllowed(["GET", "POST", "DELETE"]));
}

/** Null where nobody needs one: the server asks for no keys. */
function ownSession({ env: { caller } }: Http<Env>): BrowserSession | null {
  if (caller.browser || isAnonymous(caller)) return caller.browser;
  throw new AstraError("forbidden", "This is for a browser that signed in.", "A key needs no session: just send it.");
}

const record = (action: "sign_in" | "sign_out", { context, principal }: Caller, { keyId, id }: BrowserSession) =>
  invoke(recordSignIn, context, principal, { action, key_id: keyId, browser: id });

function shown({ context, principal }: Caller, session: BrowserSession | null, version: string) {
  const { id, timezone } = context.policy.workspace;
  return {
    role: principal.kind,
    actor: principal.kind === "agent" ? principal.agentId : principal.actor,
    workspace_id: id,
    timezone,
    version,
    csrf_token: session?.csrfToken ?? null,
    expires_at: session ? new Date(session.expiresAt).toISOString() : null,
  };
}
