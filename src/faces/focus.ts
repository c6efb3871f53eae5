// Charges under the column names of FOCUS 1.2, the FinOps Open Cost and Usage Specification, for tools that read it.
import { nanoFromText, usdText } from "../core/money.ts";
import { windowAt, windowOfHour } from "../core/window.ts";
import type { ChargeRecord } from "../operations/charge-record.ts";
import type { Format } from "./charge-file.ts";
import { CSV_LINE_END, csvLine, guarded } from "./csv.ts";
import { shownJson } from "./table.ts";

/** A text is a text; numbers come as numerals, instants in UTC, tags as JSON. */
type Value = string | null;
export type FocusRow = Readonly<Record<(typeof FOCUS_COLUMNS)[number], Value>>;

/** FOCUS's own columns in their alphabetical order, then ours, as it asks. */
export const FOCUS_COLUMNS = [
  "BilledCost",
  "BillingAccountId",
  "BillingAccountName",
  "BillingCurrency",
  "BillingPeriodEnd",
  "BillingPeriodStart",
  "ChargeCategory",
  "ChargeClass",
  "ChargeDescription",
  "ChargeFrequency",
  "ChargePeriodEnd",
  "ChargePeriodStart",
  "ConsumedQuantity",
  "ConsumedUnit",
  "ContractedCost",
  "EffectiveCost",
  "InvoiceIssuerName",
  "ListCost",
  "PricingQuantity",
  "PricingUnit",
  "ProviderName",
  "PublisherName",
  "ResourceId",
  "ResourceName",
  "ResourceType",
  "ServiceCategory",
  "ServiceName",
  "ServiceSubcategory",
  "SkuId",
  "SubAccountId",
  "SubAccountName",
  "SubAccountType",
  "Tags",
  "x_CacheReadTokens",
  "x_CacheWriteTokens",
  "x_ChargeId",
  "x_CostSource",
  "x_InputTokens",
  "x_OutputTokens",
  "x_RootSessionId",
  "x_SessionId",
  "x_Source",
] as const;

/** What FOCUS forbids to be empty and no report has to say. */
const UNKNOWN = "unknown";

/** One row for what a charge was itself, and one for each tool listed in it: together they cost what it cost. */
export function focusRows(
  record: ChargeRecord,
  workspace: { readonly id: string; readonly timezone: string },
): FocusRow[] {
  const common = commonOf(record, workspace);
  const listed = record.tools.reduce((sum, line) => sum + nanoFromText(line.cost_usd), 0n);
  const rest = nanoFromText(record.cost_usd) - listed;
  const own = ownPart(record, rest);
  const tools = record.tools.map((line): FocusRow => {
    const [tool, calls] = [String(line.tool), line.calls];
    const zero = { x_InputTokens: "0", x_OutputTokens: "0", x_CacheReadTokens: "0", x_CacheWriteTokens: "0" };
    return { ...common, ...zero, ...costs(nanoFromText(line.cost_usd)), ...toolPart(tool, calls, record) };
  });
  return [{ ...common, ...own }, ...tools];
}

/** In JSON a number is a number, though written by hand: as a double it would lose digits. */
export function focusLine(row: FocusRow, format: Format): string {
  const isText = (column: string) => !NUMERIC.has(column);
  if (format === "jsonl") {
    const members = FOCUS_COLUMNS.map((column) => {
      const value = row[column];
      return `"${column}":${value !== null && isText(column) ? shownJson(value) : value}`;
    });
    return `{${members.join(",")}}\n`;
  }
  const cells = FOCUS_COLUMNS.map((column) => {
    const value = row[column];
    return value !== null && isText(column) ? guarded(value) : value;
  });
  return csvLine(cells) + CSV_LINE_END;
}

const NUMERIC: ReadonlySet<string> = new Set(FOCUS_COLUMNS.filter((column) => /Cost$|Quantity$|Tokens$/.test(column)));

function commonOf(record: ChargeRecord, { id, timezone }: { id: string; timezone: string }): FocusRow {
  const hour = windowOfHour(record.hour, timezone);
  const month = windowAt("month", hour.start, timezone);
  const provider = text(record.provider) ?? UNKNOWN;
  const team = text(record.team_id);
  const agent = String(record.agent_id);
  const tags = { role: text(record.role), task: text(record.task_id), user: text(record.user_id) };
  // Money taken back or added after the month was over: what FOCUS calls a correction of an earlier billing period.
  const isCorrection = record.source === "correction" || record.source === "reversal";
  const isLater = Date.parse(record.recorded_at) >= month.end;
  return {
    ...costs(0n),
    BillingAccountId: id,
    BillingAccountName: null,
    BillingCurrency: "USD",
    BillingPeriodEnd: instant(month.end),
    BillingPeriodStart: instant(month.start),
    ChargeCategory: "Usage",
    ChargeClass: isCorrection && isLater ? "Correction" : null,
    ChargeDescription: null,
    ChargeFrequency: "Usage-Based",
    ChargePeriodEnd: instant(hour.end),
    ChargePeriodStart: instant(hour.start),
    ConsumedQuantity: null,
    ConsumedUnit: null,
    InvoiceIssuerName: provider,
    PricingQuantity: null,
    PricingUnit: null,
    ProviderName: provider,
    PublisherName: provider,
    ResourceId: agent,
    ResourceName: agent,
    ResourceType: "Agent",
    ServiceCategory: "AI and Machine Learning",
    ServiceName: provider,
    ServiceSubcategory: "Generative AI",
    SkuId: null,
    SubAccountId: team,
    SubAccountName: team,
    SubAccountType: team === null ? null : "Team",
    Tags: JSON.stringify(Object.fromEntries(Object.entries(tags).filter(([, value]) => value !== null))),
    x_CacheReadTokens: String(record.cache_read_tokens),
    x_CacheWriteTokens: String(record.cache_write_tokens),
    x_ChargeId: record.charge_id,
    x_CostSource: record.cost_source,
    x_InputTokens: String(record.input_tokens),
    x_OutputTokens: String(record.output_tokens),
    x_RootSessionId: record.root_session_id,
    x_SessionId: record.session_id,
    x_Source: record.source,
  };
}

/** The charge without its listed tools: tokens of a model, or calls of the one tool that all of it was for. */
function ownPart(record: ChargeRecord, cost: bigint): Partial<FocusRow> {
  const tokens = record.input_tokens + record.output_tokens + record.cache_read_tokens + record.cache_write_tokens;
  const calls = record.tool_calls - record.tools.reduce((sum, line) => sum + line.calls, 0);
  const priced = record.priced_usd;
  const isNegotiated = record.cost_source === "reported" && priced !== null;
  const amounts = { ...costs(cost), ...(isNegotiated ? { ListCost: priced } : {}) };
  const tool = text(record.tool);
  if (tool !== null && tokens === 0) return { ...amounts, ...toolPart(tool, calls, record) };
  const model = text(record.model) ?? UNKNOWN;
  const what = tool === null ? model : `${model} for ${tool}`;
  return {
    ...amounts,
    ...quantity(tokens, "Tokens"),
    ChargeDescription: `${WORDS[record.source] ?? ""}${what}: ${tokens} tokens`,
    SkuId: model,
  };
}

const toolPart = (tool: string, calls: number, record: ChargeRecord): Pick<FocusRow, ToolColumn> => ({
  ...quantity(calls, "Requests"),
  ChargeDescription: `${WORDS[record.source] ?? ""}${tool}: ${calls} calls`,
  ServiceCategory: "Other",
  ServiceName: tool,
  ServiceSubcategory: "Other (Other)",
  SkuId: tool,
});

type ToolColumn =
  | keyof ReturnType<typeof quantity>
  | "ChargeDescription"
  | "ServiceCategory"
  | "ServiceName"
  | "ServiceSubcategory"
  | "SkuId";

const WORDS: Readonly<Record<string, string>> = { correction: "Correction of ", reversal: "Taken back: " };

const quantity = (count: number, unit: string) => ({
  ConsumedQuantity: String(count),
  ConsumedUnit: unit,
  PricingQuantity: String(count),
  PricingUnit: unit,
});

/** What was paid is all we know: no invoice, no contract and no amortization. */
const costs = (nano: bigint) => {
  const usd = usdText(nano);
  return { BilledCost: usd, ContractedCost: usd, EffectiveCost: usd, ListCost: usd };
};

const text = (id: string | number | null): string | null => (id === null ? null : String(id));
/** To the second, as FOCUS writes them. */
const instant = (ms: number): string => new Date(ms).toISOString().replace(/\.\d{3}Z$/, "Z");
