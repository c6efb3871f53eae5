// `astra-budget import claude-code | codex`: books what a coding agent's session files tell, each response once.
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { CALLER_ID_RULE, callerId } from "./core/id.ts";
import { usdFromNano } from "./core/money.ts";
import { grouped } from "./core/plain-text.ts";
import { isCalendarDate, windowOfHour } from "./core/window.ts";
import { readOptions, unexpectedWord, type Values, wrongArguments } from "./faces/options.ts";
import { progressOn } from "./faces/progress.ts";
import { counted, dollars, shownJson, shownText } from "./faces/table.ts";
import type { NamedFault, PastFiles, ReadConversation } from "./meters/past-file.ts";
import { PAST_READERS, type Past, type PastClient, readPast } from "./meters/past-readers.ts";
import { readAhead } from "./meters/past-thread.ts";
import { bookedBytesOfAll, bookPast } from "./operations/meter-past.ts";
import type { Context } from "./operations/operation.ts";
import { previewPast } from "./operations/past-preview.ts";
import { contextFor, fileOf, namingFile } from "./start.ts";

const HELP = `Use: astra-budget import claude-code [DIR] [--since DATE] [--agent ID] [--dry-run]
     astra-budget import codex [DIR] [--since DATE] [--agent ID] [--dry-run]

Books what the agent's session files tell: each response of a model once, at its own time and price, to
ended sessions. What was metered before is not booked again. It may be broken off and repeated: it goes
on where it was. Lines that should tell usage and do not are named at the end.

  DIR            the folder of session files (Claude Code: projects in CLAUDE_CONFIG_DIR or ~/.claude;
                 Codex: CODEX_HOME or ~/.codex)
  --since DATE   leave out what was used before this day (YYYY-MM-DD)
  --agent ID     as whom the work is booked (claude-code, codex)
  --dry-run      say what would be booked; write nothing
  --config FILE  the policy (ASTRA_CONFIG; else astra.yml in this folder, if there is one)
  --ledger FILE  the ledger (ASTRA_LEDGER; else ledger.db in the platform's data directory)
  --json         the whole answer for machines`;
const HINT = "See astra-budget import claude-code --help.";

export async function importPastCommand(
  client: PastClient,
  argv: readonly string[],
  isHelp: boolean,
  isJson: boolean,
): Promise<number> {
  if (isHelp) return say(HELP);
  const { values, words } = readOptions(argv, { since: "text", agent: "text", "dry-run": "flag" }, HINT);
  const [, , folder, more] = words;
  if (more !== undefined) throw unexpectedWord(more, HINT);
  const root = folderOf(resolve(folder ?? PAST_READERS[client].rootOf(process.env)));
  const agentId = agentOf(values, client);
  const context = await contextFor(values);
  try {
    const from = sinceOf(values, context);
    const past = await unbooked(context, client, root, from);
    const isDryRun = values["dry-run"] === true;
    const total = await importAll(context, past, agentId, isDryRun ? previewPast : bookPast);
    return say(isJson ? shownJson(answerOf(root, total, isDryRun)) : answerText(root, total, isDryRun));
  } catch (error) {
    throw namingFile(error, fileOf(values));
  } finally {
    await context.ledger.close();
  }
}

function folderOf(folder: string): string {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return folder;
  const message = `expected a folder of session files that can be read; there is none at ${folder}`;
  throw wrongArguments([{ path: "DIR", message }], HINT);
}

function agentOf(values: Values, client: PastClient): string {
  const parsed = callerId.safeParse(values.agent ?? client);
  if (parsed.success) return parsed.data;
  throw wrongArguments([{ path: "--agent", message: `expected an id: ${CALLER_ID_RULE}` }], HINT);
}

/** The first instant of that day in the workspace's zone. */
function sinceOf(values: Values, context: Context): number {
  const day = values.since;
  if (day === undefined) return 0;
  if (typeof day === "string" && isCalendarDate(day))
    return windowOfHour(`${day}T00`, context.policy.workspace.timezone).start;
  throw wrongArguments([{ path: "--since", message: "expected a date, YYYY-MM-DD" }], HINT);
}

/** What is not booked to its end yet, nor was last written before `since`. */
async function unbooked(context: Context, client: PastClient, root: string, since: number): Promise<Past> {
  const found = PAST_READERS[client].find(root);
  const paths = found.flatMap(({ files }) => files.map(({ path }) => path));
  const booked = await bookedBytesOfAll(context, paths);
  const conversations = found.flatMap((conversation): PastFiles[] => {
    const files = conversation.files
      .map((file) => ({ ...file, booked: booked.get(file.path) ?? 0 }))
      .filter((file) => file.bytes !== file.booked && file.modifiedAt >= since);
    return files.length > 0 ? [{ ...conversation, files }] : [];
  });
  return { client, root, conversations, since, now: context.now() };
}

type Total = { files: number; responses: number; booked: number; cost: bigint; faults: number; named: NamedFault[] };

/** To start another thread takes as long as to read so many bytes. */
const MOST_IN_ONE_THREAD = 16 * 1024 * 1024;
/** Of all files; the rest is only counted. */
const MOST_NAMED = 20;

async function importAll(context: Context, past: Past, agentId: string, book: typeof bookPast): Promise<Total> {
  const bytes = past.conversations.map(({ files }) => files.reduce((sum, file) => sum + file.bytes - file.booked, 0));
  const size = bytes.reduce((sum, each) => sum + each, 0);
  const files = past.conversations.reduce((sum, conversation) => sum + conversation.files.length, 0);
  const total: Total = { files, responses: 0, booked: 0, cost: 0n, faults: 0, named: [] };
  let done = 0;
  async function* conversations(): AsyncGenerator<ReadConversation> {
    for await (const conversation of size > MOST_IN_ONE_THREAD ? readAhead(past) : readPast(past)) {
      done += bytes.shift() ?? 0;
      total.faults += conversation.faults;
      total.named.push(...conversation.named.slice(0, MOST_NAMED - total.named.length));
      yield conversation;
    }
  }
  const progress = progressOn(process.stderr);
  try {
    for await (const part of book(context, { client: past.client, meter: "transcript", agentId }, conversations())) {
      total.responses += part.responses;
      total.booked += part.booked;
      total.cost += part.cost;
      const percent = size > 0 ? Math.floor((100 * done) / size) : 100;
      progress.tell(`${percent} %: ${grouped(total.booked)} of ${grouped(total.responses)} responses booked`);
    }
  } finally {
    progress.end();
  }
  return total;
}

function answerOf(folder: string, { files, responses, booked, cost, faults, named }: Total, isDryRun: boolean) {
  return {
    folder,
    dry_run: isDryRun,
    files,
    responses,
    booked,
    known: responses - booked,
    cost_usd: usdFromNano(cost),
    faults,
    faulty_lines: named.map(({ path, line, what }) => ({ file: path, line, fault: what })),
  };
}

function answerText(folder: string, total: Total, isDryRun: boolean): string {
  const { files, responses, booked, cost, faults, named } = total;
  const verb = isDryRun ? "Would book" : "Booked";
  const end = isDryRun ? " Nothing was written." : "";
  const lines = [
    `${verb} ${counted(booked, "response")} for ${dollars(usdFromNano(cost))} from ${counted(files, "file")} in ${folder}; ${counted(responses - booked, "response")} known already.${end}`,
    ...(faults > 0 ? [`Warning: ${counted(faults, "line")} should tell usage and cannot be read:`] : []),
    ...named.map(({ path, line, what }) => `  ${path}, line ${line}: ${FAULTS[what] ?? what}`),
    ...(faults > named.length ? [`  and ${counted(faults - named.length, "more line")}`] : []),
  ];
  return lines.map(shownText).join("\n");
}

const FAULTS: Readonly<Record<string, string>> = {
  not_json: "no JSON object",
  no_usage: "a response without its usage",
  bad_usage: "token counts that are none",
  bad_id: "a response without a usable id",
  bad_model: "a response without its model",
  bad_time: "no time that can be read",
  bad_cost_state: "a total in an unknown form",
};

function say(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}
