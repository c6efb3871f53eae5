// `privacy:` of astra.yml: its shape, its defaults, and what it turns into.
import { z } from "zod";
import { nanoFromUsd, scaleDecimal } from "./money.ts";
import { mapping, oneOf } from "./policy-field.ts";
import { MECHANISMS, onGrid, type PrivacyPolicy, priceOf } from "./privacy.ts";
import { epsilonOf } from "./privacy-account.ts";

/** A number of some kind between two others, both allowed. */
function between(least: number, most: number, what: string) {
  const error = `expected ${what} from ${least} to ${most}`;
  return z.number({ error }).min(least, { error }).max(most, { error });
}

/** Null = not released. */
function bound(what: string) {
  const error = `expected a whole number of ${what} from 1 to 1,000,000,000,000, or null`;
  return z.int({ error }).min(1, { error }).max(1_000_000_000_000, { error }).nullable().default(null);
}

const bounds = mapping(
  {
    costUsd: between(0.01, 100_000, "a number of US dollars")
      .default(10)
      .describe("US dollars of one user in one answer, in whole cents; what is above counts as this much."),
    tokens: bound("tokens").describe("Input, or output, tokens of one user in one answer; null = not released."),
    toolCalls: bound("tool calls").describe("Tool calls of one user in one answer; null = not released."),
    charges: bound("charges").describe("Charges of one user in one answer; null = not released."),
  },
  "a mapping of bounds, such as costUsd: 10",
);

const file = mapping(
  {
    enabled: z
      .boolean({ error: "expected true or false" })
      .default(false)
      .describe("Viewers are told single users' numbers with noise only, each charged to its user's budget."),
    mechanism: oneOf(MECHANISMS)
      .default("laplace")
      .describe("Laplace noise costs pure epsilon, simply summed; Gaussian costs rho, summed and converted at delta."),
    epsilonTotal: between(0.001, 1_000, "an epsilon")
      .default(10)
      .describe("Epsilon of one user over all time; when it is spent, nothing more is told of the user."),
    epsilonPerRelease: between(0.001, 1_000, "an epsilon")
      .default(0.5)
      .describe("With laplace, what one released number costs; its noise has the scale bound / epsilon."),
    rhoPerRelease: between(0.000001, 1_000, "a rho")
      .default(0.05)
      .describe("With gaussian, what one released number costs; its noise has the variance bound² / (2 rho)."),
    delta: between(1e-15, 0.01, "a delta")
      .default(0.000001)
      .describe("With gaussian, the chance that epsilon does not hold; far below one in the number of users."),
    bounds: bounds.prefault({}).describe("The most that one user can change a released number by."),
  },
  "a mapping with enabled, mechanism, epsilonTotal, epsilonPerRelease, rhoPerRelease, delta or bounds",
);

export type PrivacyFile = z.output<typeof file>;

/** A release that never fits into the total would refuse every question. */
export const privacy = file.superRefine((values, check) => {
  const policy = privacyOf(values);
  if (epsilonOf(priceOf(policy), policy.deltaAtto) <= policy.epsilonTotal) return;
  const field = values.mechanism === "laplace" ? "epsilonPerRelease" : "rhoPerRelease";
  const message = `expected less: one release at ${values[field]} does not fit into epsilonTotal ${values.epsilonTotal}`;
  check.addIssue({ code: "custom", path: [field], message });
});

export function privacyOf(values: PrivacyFile): PrivacyPolicy {
  const { bounds: most } = values;
  const count = (value: number | null) => (value === null ? null : BigInt(value));
  return {
    enabled: values.enabled,
    mechanism: values.mechanism,
    epsilonTotal: scaledDown(values.epsilonTotal, 9),
    epsilonPerRelease: scaledUp(values.epsilonPerRelease, 9),
    rhoPerRelease: scaledUp(values.rhoPerRelease, 9),
    deltaAtto: scaledDown(values.delta, 18),
    bounds: {
      cost: onGrid("cost", nanoFromUsd(most.costUsd)),
      tokens: count(most.tokens),
      toolCalls: count(most.toolCalls),
      charges: count(most.charges),
    },
  };
}

/** Digits of any double within these bounds; so many decimals are exact. */
const ALL_DECIMALS = 40;

const scaledDown = (value: number, decimals: number): bigint =>
  scaleDecimal(String(value), ALL_DECIMALS) / 10n ** BigInt(ALL_DECIMALS - decimals);

function scaledUp(value: number, decimals: number): bigint {
  const unit = 10n ** BigInt(ALL_DECIMALS - decimals);
  return (scaleDecimal(String(value), ALL_DECIMALS) + unit - 1n) / unit;
}
