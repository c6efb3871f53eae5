// Our prices beside a second list, figure by figure, on the day of that list: what agrees, what differs, what one lacks.
import { type Nano, usdFromNano } from "./core/money.ts";
import type { Price, PriceList, Rate } from "./core/price.ts";
import { findProvider } from "./price-library.ts";
import { isCurrentModel, plainId } from "./price-names.ts";
import { OVERRIDE_ROWS } from "./price-overrides.ts";
import { FIGURES, type Figure, type Figures, type SecondList } from "./price-second-list.ts";

/** `theirs` or `ours` is null where only the other prices long prompts apart. `known`: why it is so; null = not known. */
export type Difference = {
  readonly model: string;
  readonly figure: Figure;
  readonly ours: number | null;
  readonly theirs: number | null;
  readonly known: string | null;
};

export type Comparison = {
  /** Every model that both know, with the number of figures that the second list states. */
  readonly compared: readonly { readonly model: string; readonly figures: number; readonly differences: number }[];
  readonly differences: readonly Difference[];
  readonly onlyTheirs: readonly string[];
  readonly onlyOurs: readonly string[];
};

type KnownDifference = Omit<Difference, "model" | "known"> & {
  readonly models: readonly string[];
  readonly why: string;
};

const PRO_READ = {
  models: ["gpt-5.4-pro", "gpt-5.5-pro"],
  why: "the prices library states no price of cached input for OpenAI's pro models: ours is then that of fresh input, the dearer reading.",
};

/** Differences that were looked into: exactly these values on these models, so that a new one is not taken for one. */
const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  {
    models: [
      "gpt-5.4",
      "gpt-5.4-pro",
      "gpt-5.5",
      "gpt-5.5-pro",
      "gpt-5.6",
      "gpt-5.6-luna",
      "gpt-5.6-sol",
      "gpt-5.6-terra",
    ],
    figure: "long_above",
    ours: 271_999,
    theirs: 272_000,
    why: "the prices library has 272,000 prompt tokens as a long prompt already, OpenAI 272,001: a token on the safe side.",
  },
  { ...PRO_READ, figure: "cache_read", ours: 30, theirs: 3 },
  { ...PRO_READ, figure: "long_cache_read", ours: 60, theirs: 6 },
];

const VENDORS = ["anthropic", "openai", "google"] as const;

export function comparePrices(prices: PriceList, second: SecondList): Comparison {
  const compared: { model: string; figures: number; differences: number }[] = [];
  const differences: Difference[] = [];
  const onlyTheirs: string[] = [];
  for (const { model, provider, figures } of second.models) {
    const price = prices.find(model, provider, Date.parse(second.day));
    if (price === null || price.basis === "approximate") {
      onlyTheirs.push(model);
      continue;
    }
    const found = differencesOf(model, figuresOf(price), figures);
    compared.push({ model, figures: Object.keys(figures).length, differences: found.length });
    differences.push(...found);
  }
  const theirs = new Set(second.models.map(({ model }) => plainId(model)));
  const onlyOurs = [...new Set(ourModels())].filter((model) => !theirs.has(plainId(model))).sort();
  return { compared, differences, onlyTheirs, onlyOurs };
}

function differencesOf(model: string, ours: Figures, theirs: Figures): Difference[] {
  return FIGURES.filter((figure) => {
    // Of two lists that disagree on whether long prompts cost more, only that is worth a word.
    if (figure === "long_above") return ours.long_above !== theirs.long_above;
    if (figure.startsWith("long_") && ours.long_above === undefined) return false;
    return theirs[figure] !== undefined && ours[figure] !== theirs[figure];
  }).map((figure) => {
    const values = { figure, ours: ours[figure] ?? null, theirs: theirs[figure] ?? null };
    return { model, ...values, known: whyKnown(model, values) };
  });
}

function whyKnown(model: string, { figure, ours, theirs }: Omit<Difference, "model" | "known">): string | null {
  const known = KNOWN_DIFFERENCES.find(
    (each) => each.models.includes(model) && each.figure === figure && each.ours === ours && each.theirs === theirs,
  );
  return known?.why ?? null;
}

function figuresOf({ rates: { base, bands }, extras }: Price): Figures {
  const [long] = bands;
  return {
    ...ratesOf("", base),
    ...(long && { long_above: Number(long.above), ...ratesOf("long_", long.rate) }),
    web_search: usdFromNano(extras.webSearch),
    fast_percent: Number(extras.fastPercent),
    region_percent: Number(extras.regionPercent),
  };
}

function ratesOf(prefix: "" | "long_", rate: Rate): Figures {
  const rates: readonly (readonly [string, Nano])[] = [
    ["input", rate.input],
    ["output", rate.output],
    ["cache_read", rate.cacheRead],
    ["cache_write", rate.cacheWrite],
    ["cache_write_1h", rate.cacheWrite1h],
  ];
  return Object.fromEntries(rates.map(([name, nano]) => [`${prefix}${name}`, usdFromNano(nano)]));
}

/** What we know of the families that the second list is about. */
function ourModels(): string[] {
  const listed = VENDORS.flatMap((vendor) => findProvider(vendor)?.models ?? [])
    .filter((model) => !model.deprecated)
    .map((model) => model.id);
  return [...OVERRIDE_ROWS.map((row) => row.model), ...listed].filter(isCurrentModel);
}
