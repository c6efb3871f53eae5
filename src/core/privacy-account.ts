// The accountant: what releases cost a user's privacy together, in whole nano units, always rounded against the spender.
import { squareRoot } from "./privacy-noise.ts";

/** One whole epsilon, or rho, in the units of accounts. */
export const NANO = 1_000_000_000n;
/** A delta of 1 in its units. */
export const ATTO = 1_000_000_000_000_000_000n;

/**
 * What was told about a user: pure epsilon of Laplace releases (basic composition) and rho of Gaussian ones (zCDP), each
 * simply summed. They are kept apart, so that neither mechanism forgets what the other told.
 */
export type PrivacyLoss = { readonly epsilon: bigint; readonly rho: bigint };

/**
 * The loss as one epsilon at that delta, in nano units, never too small: rho-zCDP is (rho + 2 √(rho ln(1/delta)),
 * delta)-DP (Bun and Steinke 2016, proposition 1.3), and pure epsilon adds to that.
 */
export function epsilonOf({ epsilon, rho }: PrivacyLoss, deltaAtto: bigint): bigint {
  if (rho === 0n) return epsilon;
  const underRoot = ceilDivide(4n * rho * NANO * lnAtLeast(ATTO, deltaAtto), 1n << LN_BITS);
  return epsilon + rho + ceilSquareRoot(underRoot);
}

/** May that much more be told? Only if the whole stays within the total. */
export function fits(total: bigint, spent: PrivacyLoss, more: PrivacyLoss, deltaAtto: bigint): boolean {
  return epsilonOf({ epsilon: spent.epsilon + more.epsilon, rho: spent.rho + more.rho }, deltaAtto) <= total;
}

/** Never below zero: a total may be lowered after it was spent. */
export function remainingEpsilon(total: bigint, spent: PrivacyLoss, deltaAtto: bigint): bigint {
  const left = total - epsilonOf(spent, deltaAtto);
  return left > 0n ? left : 0n;
}

const LN_BITS = 80n;
const LN_ONE = 1n << LN_BITS;
/** Above the sum of all that is cut off below: some 60 logarithms of 2, each of some 30 terms. */
const LN_SLACK = 1n << 16n;

/** ln(numerator / denominator) of a ratio of at least 1, in units of 2^-80: at most 1e-19 above it, never below. */
export function lnAtLeast(numerator: bigint, denominator: bigint): bigint {
  let twos = 0n;
  let by = denominator;
  for (; numerator >= 2n * by; by *= 2n) twos++;
  return twos * lnOfSmall(2n, 1n) + lnOfSmall(numerator, by) + LN_SLACK;
}

/** ln of a ratio from 1 to 2 as 2 artanh((a - b) / (a + b)): a series of positive terms, each cut off. */
function lnOfSmall(a: bigint, b: bigint): bigint {
  const z = ((a - b) * LN_ONE) / (a + b);
  const square = (z * z) / LN_ONE;
  let sum = 0n;
  for (let power = z, n = 1n; power > 0n; power = (power * square) / LN_ONE, n += 2n) sum += power / n;
  return 2n * sum;
}

const ceilDivide = (a: bigint, b: bigint): bigint => (a + b - 1n) / b;

function ceilSquareRoot(value: bigint): bigint {
  const root = squareRoot(value);
  return root * root === value ? root : root + 1n;
}
