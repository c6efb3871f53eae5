// Costs: what was spent in a range, over time by one attribution and in sum by each; the address says which.
import { read } from "../api.ts";
import { addressOf, type CostQuestion, costsParams, questionIn, seriesParams } from "../cost-question.ts";
import { el, put } from "../dom.ts";
import { kept, type Page, type PageContext, showInAddress } from "../page.ts";
import { breakdownsPart } from "./costs-breakdowns.ts";
import { overTimePart } from "./costs-over-time.ts";
import { pickerPart } from "./costs-picker.ts";
import { totalsPart } from "./costs-totals.ts";

/** GET /costs, as far as the page reads it; what is withheld for privacy is null or absent. */
export type Costs = {
  readonly startDate: string;
  readonly endDate: string;
  readonly totalCost: number | null;
  readonly meteredCost?: number | null;
  readonly selfReportedCost?: number | null;
  readonly totalInputTokens?: number | null;
  readonly totalOutputTokens?: number | null;
  readonly totalCacheReadTokens?: number | null;
  readonly totalCacheWriteTokens?: number | null;
  readonly charges?: number | null;
  readonly unpricedCharges?: number;
  readonly approximateCharges?: number;
  readonly lateCharges?: number;
  readonly unpricedModels?: readonly string[];
  readonly approximateModels?: readonly string[];
  readonly lateAgents?: readonly string[];
  readonly byAgent?: Sums;
  readonly byProvider?: Sums;
  readonly byModel?: Sums;
  readonly byTool?: Sums;
  readonly byTeam?: Sums;
  readonly byRole?: Sums;
  readonly byTask?: Sums;
};
export type Sums = Readonly<Record<string, number>>;

/** GET /api/v1/costs/series. */
export type CostSeries = {
  readonly buckets: readonly string[];
  readonly series: readonly { readonly key: string; readonly cost_usd: readonly number[] }[];
};

export type CostsData = { readonly question: CostQuestion; readonly costs: Costs; readonly series: CostSeries };

/** A part of the page: shown again with every answer. */
export type CostsPart = { readonly element: HTMLElement; show(data: CostsData): void; close?(): void };

export function costsPage({ live, clock, params }: PageContext): Page {
  let question = questionIn(params);
  const load = async (): Promise<CostsData> => {
    const asked = question;
    const [costs, series] = await Promise.all([
      read<Costs>("/costs", costsParams(asked)),
      read<CostSeries>("/api/v1/costs/series", seriesParams(asked)),
    ]);
    return { question: asked, costs, series };
  };
  const ask = (next: CostQuestion) => {
    question = next;
    showInAddress("costs", addressOf(next));
    put(fresh.status, "Loading …");
    fresh.again();
  };
  const picker = pickerPart(question, ask);
  const answers = [totalsPart(clock), overTimePart(), breakdownsPart()];
  const answer = el("div", { class: "page" }, ...answers.map(({ element }) => element));
  answer.hidden = true;
  const fresh = kept(live, load, (data) => {
    for (const part of [picker, ...answers]) part.show(data);
    answer.hidden = false;
  });
  return {
    element: el("div", { class: "page" }, picker.element, fresh.status, answer),
    close() {
      fresh.close();
      for (const part of answers) part.close?.();
    },
  };
}
