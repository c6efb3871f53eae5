// One attempt to deliver a webhook message: a signed POST that follows no redirect and waits only so long.

import type { Webhook } from "../core/watch-policy.ts";
import type { Attempt } from "../core/webhook-retry.ts";
import type { Leased } from "../operations/webhooks.ts";
import { messageOf } from "./message.ts";
import { signedHeaders } from "./signature.ts";

/** Until the answer's head is here. What it says beyond its status is nobody's business, and not read. */
const TIMEOUT_MS = 10_000;

export type Sending = {
  readonly webhook: Webhook;
  readonly key: Buffer;
  readonly leased: Leased;
  readonly version: string;
  readonly nowMs: number;
  /** Breaks it off. */
  readonly signal: AbortSignal;
};

/**
 * A redirect is a failure: it would carry the message where the operator did not send it. What went wrong is said in
 * our words, as a receiver's would end in an operator's terminal.
 */
export async function send({ webhook, key, leased, version, nowMs, signal }: Sending): Promise<Attempt> {
  const body = messageOf(leased.incident);
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const answer = await fetch(webhook.url, {
      method: "POST",
      redirect: "manual",
      headers: {
        "content-type": "application/json",
        "user-agent": `astra-budget/${version}`,
        ...signedHeaders(key, leased.delivery.id, nowMs, body),
      },
      body,
      signal: AbortSignal.any([signal, timeout]),
    });
    await answer.body?.cancel();
    return answer.ok ? { result: "delivered" } : { result: "failed", why: `HTTP ${answer.status}` };
  } catch (error) {
    if (signal.aborted) return { result: "given_back" };
    return { result: "failed", why: timeout.aborted ? "no answer in time" : faultOf(error) };
  }
}

const FAULTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection broken",
  UND_ERR_SOCKET: "connection broken",
  ENOTFOUND: "no such host",
  EAI_AGAIN: "no such host",
  EHOSTUNREACH: "host not reachable",
  ENETUNREACH: "host not reachable",
  ETIMEDOUT: "no answer in time",
  UND_ERR_CONNECT_TIMEOUT: "no answer in time",
};

function faultOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : null;
  const code = typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : "";
  if (/CERT|SELF_SIGNED|TLS|SSL|ALTNAME/.test(code)) return "its certificate is not valid";
  return FAULTS[code] ?? "not delivered";
}
