// The comparison of two price lists as a person reads it and as JSON.

import { type Column, counted, table } from "./faces/table.ts";
import type { Comparison, Difference } from "./price-check.ts";
import { LIBRARY_DATE } from "./price-library.ts";
import type { SecondList } from "./price-second-list.ts";
import { PRICE_SOURCES } from "./prices.ts";

const OURS = `${PRICE_SOURCES.table} and ${PRICE_SOURCES.library} (data of ${LIBRARY_DATE})`;

export function comparisonText(comparison: Comparison, second: SecondList): string {
  const { compared, differences, onlyTheirs, onlyOurs } = comparison;
  const unknown = differences.filter(({ known }) => known === null);
  const known = differences.filter((difference) => difference.known !== null);
  const agreeing = compared.filter((each) => each.differences === 0);
  const reasons = [...new Set(known.map(({ known: why }) => why))].map((why) => `known: ${why}`);
  return [
    `Our prices (${OURS}) beside LiteLLM's (commit ${second.commit.slice(0, 12)}), both of ${second.day}, as far as LiteLLM states one.`,
    table(compared, MODEL_COLUMNS, "No model is in both lists."),
    differences.length === 0 ? "" : table([...unknown, ...known], DIFFERENCE_COLUMNS, ""),
    reasons.join("\n"),
    `Only LiteLLM prices: ${onlyTheirs.join(", ") || "none"}.`,
    `Only we price: ${onlyOurs.join(", ") || "none"}.`,
    `${counted(agreeing.length, "model")} alike; ${counted(known.length, "known difference")}; ${counted(unknown.length, "difference")} to look into.`,
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

const MODEL_COLUMNS: readonly Column<Comparison["compared"][number]>[] = [
  { title: "model", align: "left", cell: ({ model }) => model },
  { title: "figures", align: "right", cell: ({ figures }) => String(figures) },
  {
    title: "result",
    align: "left",
    cell: ({ differences }) => (differences === 0 ? "alike" : counted(differences, "difference")),
  },
];

const DIFFERENCE_COLUMNS: readonly Column<Difference>[] = [
  { title: "model", align: "left", cell: ({ model }) => model },
  { title: "figure", align: "left", cell: ({ figure }) => figure },
  { title: "ours", align: "right", cell: ({ ours }) => String(ours ?? "-") },
  { title: "theirs", align: "right", cell: ({ theirs }) => String(theirs ?? "-") },
  { title: "ours/theirs", align: "right", cell: (difference) => String(ratioOf(difference)?.toFixed(3) ?? "-") },
  { title: "known", align: "left", cell: ({ known }) => (known === null ? "no" : "yes") },
];

const ratioOf = ({ ours, theirs }: Difference): number | null =>
  ours === null || theirs === null || theirs === 0 ? null : ours / theirs;

export function comparisonOut(comparison: Comparison, second: SecondList): Record<string, unknown> {
  const { source, commit, day, licence } = second;
  return {
    ok: isAlike(comparison),
    ours: OURS,
    theirs: { source, commit, day, licence },
    compared: comparison.compared,
    differences: comparison.differences.map((difference) => ({ ...difference, ratio: ratioOf(difference) })),
    only_theirs: comparison.onlyTheirs,
    only_ours: comparison.onlyOurs,
  };
}

/** Whether every difference is a known one. */
export const isAlike = ({ differences }: Comparison): boolean => differences.every(({ known }) => known !== null);
