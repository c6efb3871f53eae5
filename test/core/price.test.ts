// The arithmetic of one charge: whole-request bands, one rounding, no surprises.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { costOf, type Extras, type PricedTokens, percentsOf, type Rate, type Rates } from "../../src/core/price.ts";

const NONE: PricedTokens = { input: 0n, output: 0n, cacheRead: 0n, cacheWrite: 0n, cacheWrite1h: 0n };
const rate = (input: bigint, output = input, cacheRead = input, cacheWrite = input, cacheWrite1h = input): Rate => ({
  input,
  output,
  cacheRead,
  cacheWrite,
  cacheWrite1h,
});
const flat = (base: Rate): Rates => ({ base, bands: [] });

const amounts = fc.bigInt({ min: 0n, max: 1_000_000_000_000n });
const counts = fc.bigInt({ min: 0n, max: 10_000_000n });
const anyRate = fc.tuple(amounts, amounts, amounts, amounts, amounts).map((five) => rate(...five));
const anyRates = fc
  .tuple(anyRate, fc.uniqueArray(fc.tuple(counts, anyRate), { selector: ([above]) => above, maxLength: 3 }))
  .map(([base, bands]): Rates => {
    const sorted = bands.sort(([a], [b]) => Number(a - b));
    return { base, bands: sorted.map(([above, banded]) => ({ above, rate: banded })) };
  });
const anyTokens = fc.tuple(counts, counts, counts, counts, counts).map(
  ([input, output, cacheRead, shortWrite, cacheWrite1h]): PricedTokens => ({
    input,
    output,
    cacheRead,
    cacheWrite: shortWrite + cacheWrite1h,
    cacheWrite1h,
  }),
);
const bandOf = (tokens: PricedTokens, rates: Rates) =>
  rates.bands.filter(({ above }) => tokens.input + tokens.cacheRead + tokens.cacheWrite > above).length;

describe("costOf", () => {
  test("prices each kind of token at its own rate", () => {
    const rates = flat(rate(1_000_000n, 2_000_000n, 4_000_000n, 8_000_000n, 16_000_000n));
    expect(costOf({ ...NONE, input: 3n }, rates)).toBe(3n);
    expect(costOf({ ...NONE, output: 3n }, rates)).toBe(6n);
    expect(costOf({ ...NONE, cacheRead: 3n }, rates)).toBe(12n);
    expect(costOf({ ...NONE, cacheWrite: 3n }, rates)).toBe(24n);
  });

  test("counts one-hour writes as a part of all writes", () => {
    const rates = flat(rate(0n, 0n, 0n, 8_000_000n, 16_000_000n));
    expect(costOf({ ...NONE, cacheWrite: 3n, cacheWrite1h: 2n }, rates)).toBe(40n);
  });

  test("reprices the whole request, output included, once the prompt with its cache exceeds the band", () => {
    const rates: Rates = { base: rate(1_000_000n), bands: [{ above: 10n, rate: rate(5_000_000n) }] };
    expect(costOf({ ...NONE, input: 4n, cacheRead: 3n, cacheWrite: 3n, output: 90n }, rates)).toBe(100n);
    expect(costOf({ ...NONE, input: 4n, cacheRead: 3n, cacheWrite: 4n, output: 90n }, rates)).toBe(505n);
  });

  test("takes the highest band that the prompt exceeds", () => {
    const rates: Rates = {
      base: rate(1_000_000n),
      bands: [
        { above: 10n, rate: rate(2_000_000n) },
        { above: 20n, rate: rate(3_000_000n) },
      ],
    };
    expect(costOf({ ...NONE, input: 20n }, rates)).toBe(40n);
    expect(costOf({ ...NONE, input: 21n }, rates)).toBe(63n);
  });

  test("rounds half up once for the whole charge, not once per kind of token", () => {
    expect(costOf({ ...NONE, input: 1n }, flat(rate(499_999n)))).toBe(0n);
    expect(costOf({ ...NONE, input: 1n }, flat(rate(500_000n)))).toBe(1n);
    const halves = flat(rate(500_000n));
    expect(costOf({ input: 1n, output: 1n, cacheRead: 1n, cacheWrite: 1n, cacheWrite1h: 0n }, halves)).toBe(2n);
  });

  test("multiplies by each percent and still rounds once, half up", () => {
    const half = flat(rate(500_000n));
    expect(costOf({ ...NONE, input: 1n }, half, [200n])).toBe(1n);
    expect(costOf({ ...NONE, input: 1n }, half, [110n])).toBe(1n); // 0.55
    expect(costOf({ ...NONE, input: 1n }, flat(rate(450_000n)), [110n])).toBe(0n); // 0.495
    expect(costOf({ ...NONE, input: 1n }, flat(rate(250_000n)), [200n, 110n])).toBe(1n); // 0.55
    expect(costOf({ ...NONE, input: 100n }, flat(rate(4_000_000n)), [200n, 110n])).toBe(880n);
  });

  test("with percents is off the exact value by half a nano-dollar at most, however many there are", () => {
    const percents = fc.array(fc.bigInt({ min: 1n, max: 600n }), { maxLength: 3 });
    fc.assert(
      fc.property(counts, amounts, percents, (input, price, factors) => {
        const exact = factors.reduce((product, percent) => product * percent, input * price);
        const unit = 1_000_000n * 100n ** BigInt(factors.length);
        const off = costOf({ ...NONE, input }, flat(rate(price)), factors) * unit - exact;
        expect(off * 2n > -unit && off * 2n <= unit).toBe(true);
      }),
    );
  });

  test("is nothing for no tokens", () => {
    fc.assert(fc.property(anyRates, (rates) => costOf(NONE, rates) === 0n));
  });

  test("is never negative and off the exact value by half a nano-dollar at most", () => {
    fc.assert(
      fc.property(anyTokens, anyRate, (tokens, base) => {
        const exact =
          tokens.input * base.input +
          tokens.output * base.output +
          tokens.cacheRead * base.cacheRead +
          (tokens.cacheWrite - tokens.cacheWrite1h) * base.cacheWrite +
          tokens.cacheWrite1h * base.cacheWrite1h;
        const off = costOf(tokens, flat(base)) * 1_000_000n - exact;
        expect(off > -500_000n && off <= 500_000n).toBe(true);
        expect(costOf(tokens, flat(base))).toBeGreaterThanOrEqual(0n);
      }),
    );
  });

  test("never falls when any count grows within a band", () => {
    const kinds = fc.constantFrom("input", "output", "cacheRead", "cacheWrite" as const);
    fc.assert(
      fc.property(anyTokens, anyRates, kinds, counts, (tokens, rates, kind, more) => {
        const grown = { ...tokens, [kind]: tokens[kind] + more };
        fc.pre(bandOf(tokens, rates) === bandOf(grown, rates));
        expect(costOf(grown, rates)).toBeGreaterThanOrEqual(costOf(tokens, rates));
      }),
    );
  });
});

describe("a response served", () => {
  const extras: Extras = { fastPercent: 200n, regionPercent: 110n, webSearch: 0n };

  test.each([
    ["standard", null, []],
    ["fast", null, [200n]],
    ["standard", "us", [110n]],
    ["fast", "us", [200n, 110n]],
  ] as const)("%s in region %s costs its surcharges", (speed, region, percents) => {
    expect(percentsOf(extras, { speed, region })).toEqual(percents);
  });
});
