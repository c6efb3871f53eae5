// The shape of costs: what is summed, by what it is broken down, and what one cell of the sums is of.
import { sql } from "kysely";

/** What is summed of charges, in the order of the tables' columns. */
export const SUMS = [
  "charges",
  "unpriced",
  "approximate",
  "late",
  "input_tokens",
  "output_tokens",
  "cache_read_tokens",
  "cache_write_tokens",
  "tool_calls",
  "cost_nano_usd",
  "metered_nano_usd",
] as const;
export type Sums = Readonly<Record<(typeof SUMS)[number], bigint>>;

/** What one cell is of, besides its book. */
export const CELL = [
  "day",
  "agent_no",
  "team_no",
  "task_no",
  "user_no",
  "role_no",
  "provider_no",
  "model_no",
  "tool_no",
] as const;

/** By what costs are broken down besides time; a dimension's number in `cost_sums` is its place here, from 1. */
export const ATTRIBUTES = ["agent", "team", "task", "user", "role", "provider", "model", "tool"] as const;
export type Attribute = (typeof ATTRIBUTES)[number];

export const dimensionNumber = (attribute: Attribute): number => ATTRIBUTES.indexOf(attribute) + 1;

/** By what units of time. */
export const UNITS = ["day", "month"] as const;
export type Unit = (typeof UNITS)[number];

export const DIMENSIONS = [...ATTRIBUTES, ...UNITS] as const;
export type Dimension = (typeof DIMENSIONS)[number];

/** Every sum, of an expression per column. */
export const summed = (of: (column: string) => string = (column) => column) =>
  SUMS.map((column) => sql<bigint>`coalesce(sum(${sql.ref(of(column))}), 0)`.as(column));
