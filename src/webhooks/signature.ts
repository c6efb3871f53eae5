// Signatures of webhook messages by the Standard Webhooks convention (standardwebhooks.com): HMAC-SHA256, version 1.
import { createHmac } from "node:crypto";

/** The convention's own advice: 24 bytes are 192 bits. */
const LEAST_BYTES = 24;

/** The key behind a secret: `whsec_` and base64, or any text of at least 24 bytes. Null = too short, or no base64. */
export function keyOf(secret: string): Buffer | null {
  const base64 = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret)?.[1];
  if (base64 === undefined && secret.startsWith("whsec_")) return null;
  const key = base64 === undefined ? Buffer.from(secret, "utf8") : Buffer.from(base64, "base64");
  return key.length < LEAST_BYTES ? null : key;
}

/** The headers of one attempt. `atMs` is signed with the message, so that an old one cannot be played again. */
export function signedHeaders(key: Buffer, id: string, atMs: number, body: string): Record<string, string> {
  const timestamp = String(Math.floor(atMs / 1_000));
  const signature = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${signature}` };
}
