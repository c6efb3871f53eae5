// `astra-budget export`: every charge as a file, page by page, for a spreadsheet, FinOps tools or another ledger.
import { rmSync } from "node:fs";
import { open } from "node:fs/promises";
import type { AstraError } from "./core/error.ts";
import { FORMATS, type Format, headOf, lineOf } from "./faces/charge-file.ts";
import { FOCUS_COLUMNS, focusLine, focusRows } from "./faces/focus.ts";
import { wrongArguments } from "./faces/options.ts";
import { progressOn } from "./faces/progress.ts";
import { counted, shownJson, shownText } from "./faces/table.ts";
import { command, option } from "./faces/terminal-command.ts";
import { costFilterOptions } from "./faces/terminal-cost-filter.ts";
import { commandHelp } from "./faces/terminal-help.ts";
import { inCommandWords, readCommand } from "./faces/terminal-input.ts";
import type { ChargeRecord } from "./operations/charge-record.ts";
import { exportCharges } from "./operations/export-charges.ts";
import { type Context, invoke } from "./operations/operation.ts";
import { contextFor, existingLedger, namingFile, TERMINAL } from "./start.ts";

const COMMAND = command("export", exportCharges, {
  help: "every charge as a file: for a spreadsheet, for FinOps tools, or for `import` into another ledger",
  options: {
    format: option("format", "text", "csv or jsonl"),
    out: option("out", "text", "the new file to write, for its owner only (standard output)"),
    focus: option("focus", "flag", "under the column names of FOCUS 1.2; not for importing"),
    ...costFilterOptions,
    months: { ...costFilterOptions.months, help: "calendar months back, this one included (all there are)" },
  },
  needs: [["format"]],
  text: (answer) => shownText(`Exported ${counted(answer.charges, "charge")} to ${answer.file}.`),
});
const HINT = "See astra-budget export --help.";

export async function exportCommand(argv: readonly string[], isHelp: boolean, isJson: boolean): Promise<number> {
  if (isHelp) return say(commandHelp(COMMAND));
  const { values, input } = readCommand(COMMAND, argv);
  const { format, out, focus, ...filter } = input;
  const chosen = FORMATS.find((each) => each === format);
  if (!chosen) throw wrongArguments([{ path: "--format", message: `expected ${FORMATS.join(" or ")}` }], HINT);
  if (isJson && out === undefined)
    throw wrongArguments([{ path: "--json", message: "expected with --out: it says what was written there" }], HINT);
  const ledger = existingLedger(values);
  const context = await contextFor(values);
  try {
    const pages = linesOf(context, filter, chosen, focus === true);
    if (out === undefined) {
      await toOutput(pages);
      return 0;
    }
    const answer = { file: String(out), charges: await toFile(pages, String(out)) };
    return say(isJson ? shownJson(answer) : COMMAND.text(answer));
  } catch (error) {
    throw inCommandWords(namingFile(error, ledger), COMMAND);
  } finally {
    await context.ledger.close();
  }
}

type Page = { readonly lines: readonly string[]; readonly charges: number };

/** The file page by page; the first is its head. */
async function* linesOf(
  context: Context,
  filter: Record<string, unknown>,
  format: Format,
  isFocus: boolean,
): AsyncGenerator<Page> {
  yield { lines: [isFocus ? headOf(format, FOCUS_COLUMNS) : headOf(format)], charges: 0 };
  const { workspace } = context.policy;
  let cursor: string | null = "0";
  while (cursor !== null) {
    const page: { charges: unknown[]; next_cursor: string | null } = await invoke(exportCharges, context, TERMINAL, {
      ...filter,
      cursor,
      limit: 500,
    });
    const records = page.charges as ChargeRecord[];
    const lines = isFocus
      ? records.flatMap((record) => focusRows(record, workspace).map((row) => focusLine(row, format)))
      : records.map((record) => lineOf(record, format));
    yield { lines, charges: records.length };
    cursor = page.next_cursor;
  }
}

/** A terminal is shown the lines without what could move its cursor; a file or pipe gets them as they are. */
async function toOutput(pages: AsyncIterable<Page>): Promise<void> {
  for await (const { lines } of pages) {
    const shown = process.stdout.isTTY ? lines.map((line) => `${shownText(line.trimEnd())}\n`) : lines;
    const text = shown.join("");
    if (text !== "") await new Promise<void>((resolve) => process.stdout.write(text, () => resolve()));
  }
}

/** Into a new file; one that is not whole does not stay. Answers how many charges are in it. */
async function toFile(pages: AsyncIterable<Page>, file: string): Promise<number> {
  const handle = await open(file, "wx", 0o600).catch((error) => {
    throw unwritable(error);
  });
  const leave = () => {
    rmSync(file, { force: true });
    process.exit(1);
  };
  for (const signal of SIGNALS) process.once(signal, leave);
  const progress = progressOn(process.stderr);
  let charges = 0;
  try {
    for await (const page of pages) {
      await handle.writeFile(page.lines.join("")).catch((error) => {
        throw unwritable(error);
      });
      charges += page.charges;
      progress.tell(counted(charges, "charge"));
    }
    await handle.sync();
  } catch (error) {
    rmSync(file, { force: true });
    throw error;
  } finally {
    progress.end();
    for (const signal of SIGNALS) process.off(signal, leave);
    await handle.close();
  }
  return charges;
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

const REASONS: Readonly<Record<string, string>> = {
  EEXIST: "expected a file that does not exist yet: nothing is overwritten",
  ENOENT: "expected a file in a folder that is there",
  ENOTDIR: "expected a file in a folder that is there",
  EISDIR: "expected a file, not a folder",
  ENOSPC: "expected room on the disk: it is full",
};

function unwritable(error: unknown): AstraError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return wrongArguments([{ path: "--out", message: REASONS[code] ?? "expected a file that may be written" }], HINT);
}

function say(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}
