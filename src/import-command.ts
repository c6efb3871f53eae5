// `astra-budget import`: books the charges of an export, batch by batch, each charge once.
import { createReadStream, statSync } from "node:fs";
import { AstraError, type Fault } from "./core/error.ts";
import { grouped } from "./core/plain-text.ts";
import { FORMATS, type Format, type Found, recordsIn } from "./faces/charge-file.ts";
import { glance, readOptions, unexpectedWord, wrongArguments } from "./faces/options.ts";
import { progressOn } from "./faces/progress.ts";
import { counted, shownJson, shownText } from "./faces/table.ts";
import { isPastClient } from "./meters/past-readers.ts";
import { importCharges, MOST_IMPORTED } from "./operations/import-charges.ts";
import { type Context, invoke } from "./operations/operation.ts";
import { contextFor, fileOf, namingFile, TERMINAL } from "./start.ts";

const HELP = `Use: astra-budget import FILE [--format csv|jsonl] [--dry-run]
     astra-budget import claude-code | codex [DIR]   (see astra-budget import claude-code --help)

Books the charges of an export (one without --focus) into the ledger. A charge is known by its id and
booked once, however often it is imported. Sessions that are not in the ledger are made, as ended ones.
It stops at the first faulty line: nothing of that line's ${MOST_IMPORTED} charges is booked, all before is.

  --format TEXT  csv or jsonl (by the file's name)
  --dry-run      say what would be booked; write nothing
  --config FILE  the policy (ASTRA_CONFIG; else astra.yml in this folder, if there is one)
  --ledger FILE  the ledger (ASTRA_LEDGER; else ledger.db in the platform's data directory)
  --json         the whole answer for machines`;
const HINT = "See astra-budget import --help.";

export async function importCommand(argv: readonly string[], isHelp: boolean, isJson: boolean): Promise<number> {
  const client = glance(argv).words[1];
  if (isPastClient(client))
    return await (await import("./import-past-command.ts")).importPastCommand(client, argv, isHelp, isJson);
  if (isHelp) return say(HELP);
  const { values, words } = readOptions(argv, { format: "text", "dry-run": "flag" }, HINT);
  const [, file, more] = words;
  if (file === undefined) throw wrongArguments([{ path: "", message: "expected the FILE of an export" }], HINT);
  if (more !== undefined) throw unexpectedWord(more, HINT);
  const format = formatOf(values.format as string | undefined, file);
  const size = sizeOf(file);
  const context = await contextFor(values);
  try {
    const isDryRun = values["dry-run"] === true;
    const total = await importFile(context, { file, format, size, isDryRun });
    const { sessions, unchecked, ...counts } = total;
    // A dry run makes a session anew in every batch, and finds what corrections correct in their own batch only.
    const answer = { file, dry_run: isDryRun, ...counts, ...(isDryRun ? { unchecked } : { sessions }) };
    return say(isJson ? shownJson(answer) : answerText(total, isDryRun));
  } catch (error) {
    throw namingFile(error, fileOf(values));
  } finally {
    await context.ledger.close();
  }
}

function formatOf(named: string | undefined, file: string): Format {
  const name = named ?? (/\.(jsonl|ndjson)$/i.test(file) ? "jsonl" : /\.csv$/i.test(file) ? "csv" : "");
  const format = FORMATS.find((each) => each === name);
  if (format) return format;
  throw wrongArguments([{ path: "--format", message: `expected ${FORMATS.join(" or ")}` }], HINT);
}

function sizeOf(file: string): number {
  try {
    const found = statSync(file);
    if (found.isFile()) return found.size;
  } catch {
    // Not there, or not to be seen: the same to whoever named it.
  }
  throw wrongArguments([{ path: "FILE", message: "expected a file that can be read" }], HINT);
}

type Total = { imported: number; known: number; sessions: number; unchecked: number };
type Job = { readonly file: string; readonly format: Format; readonly size: number; readonly isDryRun: boolean };

async function importFile(context: Context, { file, format, size, isDryRun }: Job): Promise<Total> {
  const total: Total = { imported: 0, known: 0, sessions: 0, unchecked: 0 };
  const progress = progressOn(process.stderr);
  const read = { bytes: 0 };
  let batch: Found[] = [];
  const book = async () => {
    const answer = await bookBatch(context, batch, isDryRun);
    for (const key of Object.keys(total) as (keyof Total)[]) total[key] += answer[key];
    batch = [];
    const percent = size > 0 ? Math.floor((100 * read.bytes) / size) : 100;
    progress.tell(`${percent} %: ${grouped(total.imported)} booked, ${grouped(total.known)} known`);
  };
  try {
    for await (const found of recordsIn(textOf(file, read), format)) {
      batch.push(found);
      if (batch.length === MOST_IMPORTED) await book();
    }
    if (batch.length > 0) await book();
  } catch (error) {
    throw withWhatIsDone(error, total, isDryRun);
  } finally {
    progress.end();
  }
  return total;
}

/** The file's text piece by piece; what is no UTF-8 would be read as something else. */
async function* textOf(file: string, read: { bytes: number }): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const decoded = (piece?: Buffer): string => {
    try {
      return piece ? decoder.decode(piece, { stream: true }) : decoder.decode();
    } catch {
      throw wrongArguments([{ path: "FILE", message: "expected text in UTF-8" }], HINT);
    }
  };
  for await (const piece of createReadStream(file) as AsyncIterable<Buffer>) {
    read.bytes += piece.length;
    yield decoded(piece);
  }
  yield decoded();
}

async function bookBatch(context: Context, batch: readonly Found[], isDryRun: boolean): Promise<Total> {
  const args = { charges: batch.map(({ record }) => record), dry_run: isDryRun };
  try {
    const { imported, known, sessions, unchecked } = await invoke(importCharges, context, TERMINAL, args);
    return { imported, known, sessions, unchecked };
  } catch (error) {
    throw error instanceof AstraError ? inLines(error, batch) : error;
  }
}

/** The operation's faults with lines and columns of the file for its arguments: "line 7, cost_usd". */
function inLines(error: AstraError, batch: readonly Found[]): AstraError {
  if (error.faults.length === 0) return error;
  const faults = error.faults.map(({ path, message }): Fault => {
    const [, index, column] = /^charges\.(\d+)(?:\.(.+))?$/.exec(path) ?? [];
    const line = index === undefined ? undefined : batch[Number(index)]?.line;
    if (line === undefined) return { path, message };
    return { path: column === undefined ? `line ${line}` : `line ${line}, ${column}`, message };
  });
  const message = error.code === "invalid_input" ? "the file has charges that cannot be booked" : error.message;
  return new AstraError(error.code, message, error.code === "invalid_input" ? MEND : error.hint, faults);
}

const MEND = "Mend the named lines and import the file again: what is booked already is not booked twice.";

/** Whoever meets a fault in the middle of a file wants to know what is booked of it. */
function withWhatIsDone(error: unknown, { imported, known }: Total, isDryRun: boolean): unknown {
  if (!(error instanceof AstraError) || isDryRun || imported + known === 0) return error;
  const done = `${counted(imported, "charge")} before booked, ${counted(known, "charge")} known already`;
  return new AstraError(error.code, `${error.message} (${done})`, error.hint, error.faults);
}

function answerText({ imported, known, sessions, unchecked }: Total, isDryRun: boolean): string {
  const had = `${counted(known, "charge")} known already`;
  if (!isDryRun)
    return shownText(`Imported ${counted(imported, "charge")} and ${counted(sessions, "new session")}; ${had}.`);
  const later =
    unchecked > 0 ? ` What ${counted(unchecked, "correction")} correct is only looked for when imported.` : "";
  return shownText(`Would import ${counted(imported, "charge")}; ${had}. Nothing was written.${later}`);
}

function say(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}
