// Noise for released numbers: discrete Laplace and discrete Gaussian samples, exact, in whole numbers only.

/** Uniform random bytes: cryptographic in the product, seeded in tests. */
export type RandomBytes = (count: number) => Uint8Array;

/** A positive rational number. */
export type Ratio = { readonly numerator: bigint; readonly denominator: bigint };

/*
 * Algorithms 1 to 3 of Canonne, Kamath and Steinke, "The Discrete Gaussian for Differential Privacy" (2020). There is no
 * float anywhere: noise that is made by floats leaks the number it hides through its low bits (Mironov 2012). How long a
 * sample takes does depend on it.
 */

/** P(x) is proportional to exp(-|x| / scale). */
export function discreteLaplace(scale: Ratio, random: RandomBytes): bigint {
  const { numerator: t, denominator: s } = reduced(scale);
  for (;;) {
    const u = below(t, random);
    if (!happensExp({ numerator: u, denominator: t }, random)) continue;
    let v = 0n;
    while (happensExp(ONE, random)) v++;
    const size = (u + t * v) / s;
    const isNegative = below(2n, random) === 1n;
    // Zero would come twice as often, once with each sign.
    if (isNegative && size === 0n) continue;
    return isNegative ? -size : size;
  }
}

/** P(x) is proportional to exp(-x² / (2 variance)). */
export function discreteGaussian(variance: Ratio, random: RandomBytes): bigint {
  const { numerator: p, denominator: q } = reduced(variance);
  const t = squareRoot(p / q) + 1n;
  for (;;) {
    const y = discreteLaplace({ numerator: t, denominator: 1n }, random);
    // (|y| - variance / t)² / (2 variance), with variance = p / q.
    const distance = (y < 0n ? -y : y) * q * t - p;
    if (happensExp({ numerator: distance * distance, denominator: 2n * p * q * t * t }, random)) return y;
  }
}

const ONE: Ratio = { numerator: 1n, denominator: 1n };

/** True with probability exp(-x), x zero or more. */
function happensExp({ numerator, denominator }: Ratio, random: RandomBytes): boolean {
  for (let whole = numerator / denominator; whole > 0n; whole--) if (!happensExpUpToOne(ONE, random)) return false;
  return happensExpUpToOne({ numerator: numerator % denominator, denominator }, random);
}

/** The same for x up to 1: von Neumann's way, the number of steps until a fall of probability x / k is odd. */
function happensExpUpToOne({ numerator, denominator }: Ratio, random: RandomBytes): boolean {
  let k = 1n;
  while (below(denominator * k, random) < numerator) k++;
  return k % 2n === 1n;
}

/** A whole number from 0 to below the bound, each as likely: what is too large is drawn again. */
function below(bound: bigint, random: RandomBytes): bigint {
  const bits = (bound - 1n).toString(2).length;
  const bytes = Math.ceil(bits / 8);
  const mask = (1n << BigInt(bits)) - 1n;
  for (;;) {
    let value = 0n;
    for (const byte of random(bytes)) value = (value << 8n) | BigInt(byte);
    value &= mask;
    if (value < bound) return value;
  }
}

function reduced({ numerator, denominator }: Ratio): Ratio {
  let [a, b] = [numerator, denominator];
  while (b > 0n) [a, b] = [b, a % b];
  return { numerator: numerator / a, denominator: denominator / a };
}

/** The largest whole number whose square is not above `value`. */
export function squareRoot(value: bigint): bigint {
  if (value < 2n) return value;
  // Newton's steps fall to it from any start above it.
  let root = 1n << BigInt(Math.ceil(value.toString(2).length / 2));
  for (;;) {
    const next = (root + value / root) / 2n;
    if (next >= root) return root;
    root = next;
  }
}
