// A command of the terminal: a way to fill one operation's input and to show its answer.
import type { z } from "zod";
import type { Operation } from "../operations/operation.ts";

/**
 * An option of a command and the argument of its operation that it fills, dotted for a part of one. `list`: repeated or
 * comma-separated.
 */
export type Option = {
  readonly argument: string;
  readonly kind: "text" | "number" | "number or none" | "flag" | "list";
  readonly help: string;
};

export type Command = {
  /** Words after `astra-budget`. */
  readonly words: readonly string[];
  readonly help: string;
  /** The argument that a bare word after the command fills. */
  readonly positional?: string;
  readonly options: Readonly<Record<string, Option>>;
  /** What must be given: one option of each group. */
  readonly needs?: readonly (readonly string[])[];
  /** Arguments the command itself sets. */
  readonly fixed?: Readonly<Record<string, unknown>>;
  readonly operation: Operation;
  /** Of an operation that does a part and answers next_cursor: it is repeated to the end, and this joins two answers. */
  join?(all: Record<string, unknown>, next: Record<string, unknown>): Record<string, unknown>;
  text(answer: Record<string, unknown>): string;
  /** The answer for a spreadsheet, with --csv; it ends its own lines. */
  csv?(answer: Record<string, unknown>): string;
  /** The exit code for an answer that is no error; 0 when absent. */
  exitCode?(answer: Record<string, unknown>): number;
};

export function command<Input extends z.ZodType, Output extends z.ZodType>(
  words: string,
  operation: Operation<Input, Output>,
  rest: Omit<Command, "words" | "operation">,
): Command {
  return { words: words.split(" "), operation: operation as unknown as Operation, ...rest };
}

export const option = (argument: string, kind: Option["kind"], help: string): Option => ({ argument, kind, help });
