// Our own price table: models that the prices library does not know or prices wrongly.
import { nanoFromUsd } from "./core/money.ts";
import type { Rate, Rates } from "./core/price.ts";
import { isGlobalBedrockId, plainId } from "./price-names.ts";

/** The day on which the table was last checked, part of each charge's price source. */
export const TABLE_DATE = "2026-11-22";

/** Where a row's figures come from, and the day they were read there. */
export type Origin = { readonly text: string; readonly date: string };

type OverrideRow = {
  /** The library's id of the provider that made the model. */
  readonly vendor: string;
  readonly model: string;
  /** First day (UTC) of these rates; null = since the model exists. */
  readonly from: string | null;
  readonly rates: Rates;
  readonly origin: Origin;
};

/** Bedrock's premium on every endpoint but the global one: 10 %, as on all rows of the library since Claude 4.5. */
const REGIONAL_NUMERATOR = 11n;
const REGIONAL_DENOMINATOR = 10n;

/** From USD per million tokens. */
function rate(input: number, output: number, cacheRead: number, cacheWrite: number, cacheWrite1h: number): Rate {
  return {
    input: nanoFromUsd(input),
    output: nanoFromUsd(output),
    cacheRead: nanoFromUsd(cacheRead),
    cacheWrite: nanoFromUsd(cacheWrite),
    cacheWrite1h: nanoFromUsd(cacheWrite1h),
  };
}

const flat = (base: Rate): Rates => ({ base, bands: [] });

export const CLAUDE_CODE: Origin = { text: "measured from Claude Code 2.1.330's own table", date: TABLE_DATE };
const SONNET_CUT: Origin = { text: "claudit v1.9.2, from Anthropic's pricing page", date: "2026-10-24" };
export const OPENAI_PAGES: Origin = { text: "release notes citing developers.openai.com", date: TABLE_DATE };
const TERRA: Origin = { text: "docs.litellm.ai/blog/gpt-6-1-terra, apidog.com, both citing OpenAI", date: TABLE_DATE };

/** OpenAI's long tier: input and cache 2x, output 1.5x, on the whole request above 272,000 prompt tokens. */
const LONG_PROMPT = 272_000n;
const SOL: Rates = {
  base: rate(2, 10, 0.1, 2.5, 5),
  bands: [{ above: LONG_PROMPT, rate: rate(4, 15, 0.2, 5, 10) }],
};

/**
 * USD per million tokens: input, output, cache read, cache write, cache write kept longer (one hour at
 * Anthropic, twelve at OpenAI). Rows of one model are in the order of their days.
 */
export const OVERRIDE_ROWS: readonly OverrideRow[] = [
  {
    vendor: "anthropic",
    model: "claude-haiku-5-5",
    from: null,
    rates: {
      base: rate(0.1, 0.5, 0.01, 0.125, 0.2),
      bands: [{ above: 100_000n, rate: rate(0.5, 2.5, 0.05, 0.625, 1) }],
    },
    origin: CLAUDE_CODE,
  },
  {
    vendor: "anthropic",
    model: "claude-sonnet-5-5",
    from: null,
    rates: flat(rate(2, 10, 0.2, 2.5, 4)),
    origin: SONNET_CUT,
  },
  {
    vendor: "anthropic",
    model: "claude-sonnet-5-5",
    from: "2026-10-07",
    rates: flat(rate(2, 10, 0.1, 2.5, 4)),
    origin: CLAUDE_CODE,
  },
  {
    vendor: "anthropic",
    model: "claude-fable-5-2",
    from: null,
    rates: flat(rate(8, 40, 0.2, 10, 16)),
    origin: CLAUDE_CODE,
  },
  // Long cache writes of 6.1-sol are not published: those of 6.2-sol, the dearer reading.
  { vendor: "openai", model: "gpt-6.1-sol", from: null, rates: SOL, origin: OPENAI_PAGES },
  { vendor: "openai", model: "gpt-6.2-sol", from: null, rates: SOL, origin: OPENAI_PAGES },
  {
    vendor: "openai",
    model: "gpt-6.1-terra",
    from: null,
    rates: {
      base: rate(1, 5, 0.05, 1.25, 2.5),
      bands: [{ above: LONG_PROMPT, rate: rate(2, 7.5, 0.1, 2.5, 5) }],
    },
    origin: TERRA,
  },
];

/** The row for a model id in any spelling at a time, whoever sells it; null = none. */
export function overrideRow(id: string, atMs: number): OverrideRow | null {
  const plain = plainId(id);
  const row = OVERRIDE_ROWS.findLast(
    (candidate) =>
      plainId(candidate.model) === plain && (candidate.from === null || Date.parse(candidate.from) <= atMs),
  );
  return row ?? null;
}

/** The rates Bedrock asks for a model of our table: the vendor's, plus the premium unless the profile is global. */
export function bedrockRates(id: string, rates: Rates): Rates {
  if (isGlobalBedrockId(id)) return rates;
  const up = (nano: bigint) => (nano * REGIONAL_NUMERATOR + REGIONAL_DENOMINATOR - 1n) / REGIONAL_DENOMINATOR;
  const raise = (r: Rate): Rate => ({
    input: up(r.input),
    output: up(r.output),
    cacheRead: up(r.cacheRead),
    cacheWrite: up(r.cacheWrite),
    cacheWrite1h: up(r.cacheWrite1h),
  });
  return { base: raise(rates.base), bands: rates.bands.map(({ above, rate: r }) => ({ above, rate: raise(r) })) };
}
