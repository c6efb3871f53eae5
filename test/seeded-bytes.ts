// Random bytes that are the same in every run: SHA-256 of a seed and a counter.
import { createHash } from "node:crypto";
import type { RandomBytes } from "../src/core/privacy-noise.ts";

export function seededBytes(seed: string): RandomBytes {
  let drawn = 0;
  let pool = Buffer.alloc(0);
  return (count) => {
    while (pool.length < count)
      pool = Buffer.concat([pool, createHash("sha256").update(`${seed} ${drawn++}`).digest()]);
    const given = pool.subarray(0, count);
    pool = pool.subarray(count);
    return given;
  };
}
