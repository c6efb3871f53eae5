// Money: exact on its way in, exact in sums, and on its way out the very number that came in.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  centsFromNano,
  formatUsd,
  NANO_PER_CENT,
  NANO_PER_USD,
  nanoFromCents,
  nanoFromText,
  nanoFromUsd,
  scaleDecimal,
  usdFromNano,
  usdText,
} from "../../src/core/money.ts";

/** Up to a million dollars, to the nano-dollar: 15 or 16 digits, which a double still tells apart. */
const amounts = fc.bigInt({ min: 0n, max: 1_000_000n * NANO_PER_USD });

/** "1.500000000" of an amount, by cutting text. */
const exactText = (nano: bigint): string => {
  const digits = String(nano).padStart(10, "0");
  return `${digits.slice(0, -9)}.${digits.slice(-9)}`;
};

describe("dollars in", () => {
  test.each([
    [0, 0n],
    [-0, 0n],
    [0.012, 12_000_000n],
    [3.42, 3_420_000_000n],
    [5, 5_000_000_000n],
    [0.1 + 0.2, 300_000_000n],
    [1.1 + 2.2, 3_300_000_000n],
    [4.35 * 100, 435_000_000_000n],
    [1e-7, 100n],
    [1.5e-8, 15n],
    [1e-9, 1n],
    [1e21, 10n ** 30n],
    [10_000, 10_000_000_000_000n],
  ])("%d dollars are %s nano-dollars", (usd, nano) => {
    expect(nanoFromUsd(usd)).toBe(nano);
  });

  test.each([
    [4e-10, 0n],
    [5e-10, 1n],
    [1.4e-9, 1n],
    [1.5e-9, 2n],
    [2.5e-9, 3n],
    [0.0000000014999, 1n],
    [5e-324, 0n],
    [0.9999999995, 1_000_000_000n],
  ])("%d dollars are rounded half up to %s nano-dollars", (usd, nano) => {
    expect(nanoFromUsd(usd)).toBe(nano);
  });

  test("any amount comes out as the number it went in as", () => {
    fc.assert(
      fc.property(amounts, (nano) => {
        expect(nanoFromUsd(usdFromNano(nano))).toBe(nano);
        expect(nanoFromUsd(Number(exactText(nano)))).toBe(nano);
      }),
    );
  });

  test("a number of dollars with nine decimals or fewer comes out as it is", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1_000_000 }),
        fc.integer({ min: 0, max: 9 }),
        fc.nat(),
        (whole, places, part) => {
          const usd = Number(`${whole}.${String(part).slice(0, places)}`);
          expect(usdFromNano(nanoFromUsd(usd))).toBe(usd);
        },
      ),
    );
  });

  test("rounding moves an amount by half a nano-dollar at most, never a larger one below a smaller", () => {
    const numbers = fc.double({ min: 0, max: 10_000, noNaN: true });
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        // The exact value of the shortest numeral, in units of 1e-30 dollars: far finer than any double here needs.
        const fine = scaleDecimal(String(a), 30);
        const back = nanoFromUsd(a) * 10n ** 21n;
        expect(back - fine <= 5n * 10n ** 20n && fine - back < 5n * 10n ** 20n + 1n).toBe(true);
        expect(nanoFromUsd(Math.min(a, b)) <= nanoFromUsd(Math.max(a, b))).toBe(true);
      }),
    );
  });

  test.each(["-1", "", "1.", ".5", "1e", "NaN", "Infinity", "0x10", " 1", "1,000", "1_000", "٣"])(
    "%j is no amount",
    (numeral) => {
      expect(() => scaleDecimal(numeral, 9)).toThrow(RangeError);
    },
  );

  test.each([Number.NaN, Number.POSITIVE_INFINITY, -1, -1e-12])("%d dollars are no amount", (usd) => {
    expect(() => nanoFromUsd(usd)).toThrow(RangeError);
  });
});

describe("sums", () => {
  test("ten million times $0.0001 is $1,000 to the nano-dollar, which floats miss", () => {
    const each = nanoFromUsd(0.0001);
    let [exact, float] = [0n, 0];
    for (let i = 0; i < 10_000_000; i++) {
      exact += each;
      float += 0.0001;
    }
    expect(exact).toBe(1_000n * NANO_PER_USD);
    expect(usdFromNano(exact)).toBe(1_000);
    expect(float).not.toBe(1_000);
  });

  test("the seed's breakdown of $42.17 sums to it", () => {
    const byAgent = [18.5, 14.22, 9.45].map(nanoFromUsd).reduce((a, b) => a + b);
    const byProvider = [28.9, 10.12, 3.15].map(nanoFromUsd).reduce((a, b) => a + b);
    const byMonth = [15.3, 14.8, 12.07].map(nanoFromUsd).reduce((a, b) => a + b);
    expect([byAgent, byProvider, byMonth].map(usdFromNano)).toEqual([42.17, 42.17, 42.17]);
  });
});

describe("cents", () => {
  test("fifty cents are half a dollar, and decimals of a cent count", () => {
    expect(nanoFromCents(50)).toBe(NANO_PER_USD / 2n);
    expect(nanoFromCents(0.5)).toBe(NANO_PER_CENT / 2n);
    expect(nanoFromCents(1e-7)).toBe(1n);
    expect(nanoFromCents(0.00000005)).toBe(1n);
  });

  test("any amount comes out as the cents it went in as", () => {
    fc.assert(
      fc.property(amounts, (nano) => {
        expect(nanoFromCents(centsFromNano(nano))).toBe(nano);
      }),
    );
  });
});

describe("money for people", () => {
  test.each([
    [0n, "$0.00"],
    [1n, "$0.000000001"],
    [9_770_000n, "$0.00977"],
    [100_000_000n, "$0.10"],
    [1_500_000_000n, "$1.50"],
    [42_170_000_000n, "$42.17"],
    [1_000_000_000_000_000n, "$1000000.00"],
    [-1_500_000_000n, "-$1.50"],
  ])("%s nano-dollars read %s", (nano, text) => {
    expect(formatUsd(nano)).toBe(text);
  });

  test("the text is the amount itself, never rounded, with two decimals or more", () => {
    fc.assert(
      fc.property(amounts, (nano) => {
        const text = formatUsd(nano);
        expect(text).toMatch(/^\$(0|[1-9]\d*)\.\d{2,9}$/);
        expect(scaleDecimal(text.slice(1), 9)).toBe(nano);
      }),
    );
  });
});

describe("money in files", () => {
  test("is exact, however much it is, and comes back as it was", () => {
    expect([0n, 1n, -1n, 75_000_000n, 12_000_000_000n, 100_000_000_000n].map(usdText)).toEqual([
      "0",
      "0.000000001",
      "-0.000000001",
      "0.075",
      "12",
      "100",
    ]);
    const most = 10n ** 20n;
    fc.assert(
      fc.property(fc.bigInt({ min: -most, max: most }), (nano) => {
        expect(nanoFromText(usdText(nano))).toBe(nano);
      }),
    );
  });

  test.each(["", "1e3", "1,5", "$1", "+1", "--1", ".5", "1.", "1.0000000001", " 1", "NaN", "0x10", "1000000000000000"])(
    "%j is no amount that can be read without rounding or guessing",
    (text) => {
      expect(() => nanoFromText(text)).toThrow(RangeError);
    },
  );
});
