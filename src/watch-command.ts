// `astra-budget watch`: what happens now on one screen that follows the ledger, whichever process writes it.
import { setTimeout as sleep } from "node:timers/promises";
import { painted, unpainted } from "./faces/fitted-table.ts";
import { liveScreen } from "./faces/live-screen.ts";
import { readOptions, unexpectedWord } from "./faces/options.ts";
import { shownJson } from "./faces/table.ts";
import { watchLines } from "./faces/terminal-watch.ts";
import { type Now, type Watched, watched } from "./faces/watch-state.ts";
import { getNow } from "./operations/get-now.ts";
import { type Context, invoke } from "./operations/operation.ts";
import { contextFor, fileOf, namingFile, TERMINAL } from "./start.ts";

const HELP = `Use: astra-budget watch [--once] [--config FILE] [--ledger FILE] [--json]

Shows what happens now and follows it, whichever process spends: today's and this month's spend and where it is going,
every limit, the open sessions with their verdicts and their pace, stops, open incidents and the newest charges. Times are
of the workspace's time zone. q or Ctrl-C ends it. NO_COLOR=1 leaves the colours out.

  --once         print it once and end, as it does where the output is no terminal
  --config FILE  the policy (ASTRA_CONFIG; else astra.yml in this folder, if there is one)
  --ledger FILE  the ledger (ASTRA_LEDGER; else ledger.db in the platform's data directory)
  --json         the whole answer for machines: once, or on a terminal a line at every change`;
const HINT = "See astra-budget watch --help.";

/** How often the ledger is asked whether anybody committed: microseconds each time. */
const TICK_MS = 250;
/** Clocks run and deadlines pass without a commit. */
const LOOK_MS = 1_000;
/** Where nothing says how wide the output is. */
const USUAL_COLUMNS = 120;

export async function watchCommand(argv: readonly string[], isHelp: boolean, isJson: boolean): Promise<number> {
  if (isHelp) return say(HELP);
  const { values, words } = readOptions(argv, { once: "flag" }, HINT);
  if (words[1] !== undefined) throw unexpectedWord(words[1], HINT);
  const isLive = values.once !== true && process.stdout.isTTY === true && process.env.TERM !== "dumb";
  const context = await contextFor(values);
  try {
    if (isLive) await (isJson ? followInJson(context) : followOnScreen(context));
    else await once(context, isJson);
    return 0;
  } catch (error) {
    throw namingFile(error, fileOf(values));
  } finally {
    await context.ledger.close();
  }
}

/** What happens now; of the feed only what came since. */
async function ask(context: Context, before: Now | null): Promise<Now> {
  const answer = await invoke(getNow, context, TERMINAL, before === null ? {} : { after: before.feed_cursor });
  return answer as unknown as Now;
}

async function once(context: Context, isJson: boolean): Promise<void> {
  const now = await ask(context, null);
  const screen = { columns: process.stdout.columns ?? USUAL_COLUMNS, rows: null, paint: unpainted };
  say(isJson ? shownJson(now) : watchLines(watched(null, now), screen, "").join("\n"));
}

async function followInJson(context: Context): Promise<void> {
  let now: Now | null = null;
  for await (const why of looks(context)) {
    if (why === "time") continue;
    now = await ask(context, now);
    say(shownJson(now));
  }
}

async function followOnScreen(context: Context): Promise<void> {
  // Asked before the screen is taken: a ledger that cannot be read is a fault like any other command's.
  let state: Watched = watched(null, await ask(context, null));
  const paint = process.env.NO_COLOR ? unpainted : painted;
  const screen = liveScreen(process.stdout);
  const draw = () => {
    const { columns = USUAL_COLUMNS, rows = null } = process.stdout as { columns?: number; rows?: number };
    screen.draw(watchLines(state, { columns, rows, paint }, "q quits"));
  };
  process.stdout.on("resize", draw);
  try {
    draw();
    for await (const _ of looks(context)) {
      state = watched(state, await ask(context, state.now));
      draw();
    }
  } finally {
    process.stdout.off("resize", draw);
    screen.close();
  }
}

/** Whenever it is time to look: somebody committed, or a second went by. Over when the watcher wants it to end. */
async function* looks(context: Context): AsyncGenerator<"change" | "time"> {
  const { signal, release } = endOf();
  let changes: number | null = null;
  let lookedAt = 0;
  try {
    while (!signal.aborted) {
      const moved = await context.ledger.changes();
      const isMoved = moved !== changes;
      changes = moved;
      if (isMoved || performance.now() - lookedAt >= LOOK_MS) {
        lookedAt = performance.now();
        yield isMoved ? "change" : "time";
      }
      await sleep(TICK_MS, undefined, { signal }).catch(() => {});
    }
  } finally {
    release();
  }
}

/** Aborted by q, Ctrl-C or a signal that ends processes. */
function endOf(): { readonly signal: AbortSignal; release(): void } {
  const ending = new AbortController();
  const end = () => ending.abort();
  const { stdin } = process;
  const onKeys = (keys: Buffer) => {
    if ([...keys.toString("latin1")].some((key) => END_KEYS.includes(key))) end();
  };
  for (const signal of SIGNALS) process.once(signal, end);
  if (stdin.isTTY) stdin.setRawMode(true).on("data", onKeys);
  return {
    signal: ending.signal,
    release: () => {
      for (const signal of SIGNALS) process.removeListener(signal, end);
      if (stdin.isTTY) stdin.setRawMode(false).off("data", onKeys).pause();
    },
  };
}

/** q, and what a terminal sends for Ctrl-C and Ctrl-D when it makes no signals of them. */
const END_KEYS = ["q", "Q", "\x03", "\x04"];
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

function say(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}
