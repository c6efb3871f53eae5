// A text of any length as one number: what an idempotency key and a request are kept as.

/** The first 64 bits of a SHA-256 (given in hexadecimal), as a signed integer that both engines can store. */
export function hash64(sha256Hex: string): bigint {
  return BigInt.asIntN(64, BigInt(`0x${sha256Hex.slice(0, 16)}`));
}
