// The calendar windows that agents are looked at by.
import { choice } from "./choice.ts";

const PERIODS = { day: "Today", week: "This week", month: "This month" } as const;
export type Period = keyof typeof PERIODS;

export const periodIn = (params: URLSearchParams, usual: Period): Period => {
  const asked = params.get("period") ?? "";
  return Object.hasOwn(PERIODS, asked) ? (asked as Period) : usual;
};

export const periodChoice = (value: Period, picked: (period: Period) => void): HTMLElement =>
  choice({
    label: "Period",
    value,
    options: Object.entries(PERIODS).map(([period, title]) => ({ value: period, title })),
    picked: (period) => picked(period as Period),
  });
