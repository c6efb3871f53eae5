// What the costs page was asked, as its address says it and as the server's routes take it.

/** Ranges by name, in the server's own words: it knows the workspace's day. */
export const RANGES = {
  today: { title: "Today", time: { days: 1 } },
  "7d": { title: "7 days", time: { days: 7 } },
  "30d": { title: "30 days", time: { days: 30 } },
  month: { title: "This month", time: { months: 1 } },
  "3m": { title: "3 months", time: { months: 3 } },
  "12m": { title: "12 months", time: { months: 12 } },
} as const;
export type RangeName = keyof typeof RANGES;

/** Two days, both inclusive, as "YYYY-MM-DD". */
export type Dates = { readonly from: string; readonly to: string };

export const ATTRIBUTES = ["agent", "provider", "model", "tool", "team", "role", "task"] as const;
export type Attribute = (typeof ATTRIBUTES)[number];

export type CostQuestion = {
  readonly range: RangeName | Dates;
  readonly by: Attribute;
  /** Only what was spent on these. */
  readonly only: Readonly<Partial<Record<Attribute, string>>>;
};

const USUAL = { range: "30d", by: "agent" } as const;

/** Whatever an address says that is no range or attribute of ours is as if it were not there. */
export function questionIn(params: URLSearchParams): CostQuestion {
  const by = ATTRIBUTES.find((attribute) => attribute === params.get("by")) ?? USUAL.by;
  const only = ATTRIBUTES.flatMap((attribute) => {
    const value = params.get(attribute);
    return value ? [[attribute, value] as const] : [];
  });
  return { range: rangeIn(params.get("range") ?? ""), by, only: Object.fromEntries(only) };
}

function rangeIn(text: string): RangeName | Dates {
  if (Object.hasOwn(RANGES, text)) return text as RangeName;
  const [, from, to] = /^(\d{4}-\d\d-\d\d)\.\.(\d{4}-\d\d-\d\d)$/.exec(text) ?? [];
  return from !== undefined && to !== undefined ? { from, to } : USUAL.range;
}

/** The parameters of the page's address; `questionIn` reads them back. */
export function addressOf({ range, by, only }: CostQuestion): Record<string, string> {
  return { range: typeof range === "string" ? range : `${range.from}..${range.to}`, by, ...only };
}

type Params = Readonly<Record<string, string | number>>;

/** Parameters of GET /api/v1/costs/series. */
export function seriesParams({ range, by, only }: CostQuestion): Params {
  const time = typeof range === "string" ? RANGES[range].time : { start_date: range.from, end_date: range.to };
  return { ...time, by, ...renamed(only, (attribute) => SNAKE[attribute] ?? attribute) };
}

/** Parameters of GET /costs, with the breakdowns that are not there anyway. */
export function costsParams({ range, only }: CostQuestion): Params {
  const time = typeof range === "string" ? RANGES[range].time : { startDate: range.from, endDate: range.to };
  const camel = (attribute: Attribute) => (attribute in SNAKE ? `${attribute}Id` : attribute);
  return { ...time, ...renamed(only, camel), groupBy: "model,team,role,task" };
}

/** Attributes that the routes call ids. */
const SNAKE: Readonly<Partial<Record<Attribute, string>>> = { agent: "agent_id", team: "team_id", task: "task_id" };

const renamed = (only: CostQuestion["only"], nameOf: (attribute: Attribute) => string): Record<string, string> =>
  Object.fromEntries(Object.entries(only).map(([attribute, value]) => [nameOf(attribute as Attribute), value]));
