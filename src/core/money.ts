// Money as whole nano-dollars (1e-9 USD) in bigints, and its two edges: JSON numbers in and out, text for people.

/** Whole nano-dollars: 1 USD = 1,000,000,000. No float ever touches an amount inside the product. */
export type Nano = bigint;

export const NANO_PER_USD = 1_000_000_000n;
/** One cent of astra.yml's `maxCostCents` (Open Astra, "Budget caps"). */
export const NANO_PER_CENT = 10_000_000n;
const DECIMALS = 9;
const EXACT = 2n ** 53n;

/**
 * The exact value of a decimal numeral ("0.075", "1e-7") scaled by 10^decimals, rounded half up (away from
 * zero on a tie for positive numbers; amounts are never negative). Throws RangeError on anything else.
 */
export function scaleDecimal(numeral: string, decimals: number): bigint {
  const match = /^(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(numeral);
  if (!match) throw new RangeError(`not a non-negative decimal number: ${numeral.slice(0, 40)}`);
  const [, whole = "0", fraction = "", exponent = "0"] = match;
  const digits = BigInt(whole + fraction);
  const shift = Number(exponent) - fraction.length + decimals;
  if (shift >= 0) return digits * 10n ** BigInt(shift);
  const divisor = 10n ** BigInt(-shift);
  return (digits * 2n + divisor) / (divisor * 2n);
}

/** Nano-dollars of a JSON number of dollars; decimals past the ninth are rounded half up, once, here. */
export function nanoFromUsd(usd: number): Nano {
  return scaleDecimal(String(usd), DECIMALS);
}

/** Nano-dollars of a whole or fractional number of cents, rounded half up. */
export function nanoFromCents(cents: number): Nano {
  return scaleDecimal(String(cents), DECIMALS - 2);
}

/** The JSON number for an amount: at most nine decimals, the double nearest to the exact value. */
export function usdFromNano(nano: Nano): number {
  // Up to 2^53 both numbers are exact, and their quotient is rounded once, to the nearest double.
  if (-EXACT <= nano && nano <= EXACT) return Number(nano) / 1e9;
  return Number(decimalText(nano));
}

/** Cents as a JSON number (seven decimals at most), the unit of `max_cost_cents`. */
export function centsFromNano(nano: Nano): number {
  return Number(`${nano}e-7`);
}

/** Money for a person: "$1.50", "$0.00977"; at least two decimals, never rounded. */
export function formatUsd(nano: Nano): string {
  const text = decimalText(nano < 0n ? -nano : nano);
  let end = text.length;
  while (text[end - 1] === "0" && end > text.length - DECIMALS + 2) end--;
  return `${nano < 0n ? "-" : ""}$${text.slice(0, end)}`;
}

/** The exact amount of dollars as a numeral: "0.075", "-12", "0"; read back by `nanoFromText`. */
export function usdText(nano: Nano): string {
  return decimalText(nano).replace(/\.?0+$/, "");
}

/** Nano-dollars of such a numeral. Throws RangeError on anything else: nothing is rounded here. */
export function nanoFromText(text: string): Nano {
  if (!EXACT_USD.test(text)) throw new RangeError("not a number of dollars with at most nine decimals");
  return text.startsWith("-") ? -scaleDecimal(text.slice(1), DECIMALS) : scaleDecimal(text, DECIMALS);
}

/** A numeral of dollars that needs no rounding. */
export const EXACT_USD = /^-?\d{1,12}(\.\d{1,9})?$/;

function decimalText(nano: Nano): string {
  const sign = nano < 0n ? "-" : "";
  const digits = String(nano < 0n ? -nano : nano).padStart(DECIMALS + 1, "0");
  return `${sign}${digits.slice(0, -DECIMALS)}.${digits.slice(-DECIMALS)}`;
}
