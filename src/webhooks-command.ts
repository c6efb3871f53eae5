// The command `webhooks deliver`: sends what is due, once, for machines on which no server is always up.
import { readOptions, unexpectedWord } from "./faces/options.ts";
import { counted, shownJson } from "./faces/table.ts";
import { contextFor, fileOf, namingFile, note } from "./start.ts";
import { deliverOnce } from "./webhooks/deliverer.ts";

const HELP = `Use: astra-budget webhooks deliver [--config FILE] [--ledger FILE] [--json]

Sends the webhook messages that are due, and ends. A running serve or stdio does it by itself: use this where neither is
always up, from a scheduler. What cannot be delivered is tried again later, in longer and longer pauses.

  --config FILE  the policy (ASTRA_CONFIG; else astra.yml in this folder)
  --ledger FILE  the ledger (ASTRA_LEDGER; else ledger.db in the platform's data directory)
  --json         the whole answer for machines`;

export async function webhooksDeliver(
  argv: readonly string[],
  isHelp: boolean,
  isJson: boolean,
  version: string,
): Promise<number> {
  const print = (text: string): number => {
    process.stdout.write(`${text}\n`);
    return 0;
  };
  if (isHelp) return print(HELP);
  const hint = "See astra-budget webhooks deliver --help.";
  const { values, words } = readOptions(argv, {}, hint);
  if (words[2] !== undefined) throw unexpectedWord(words[2], hint);
  const context = await contextFor(values);
  try {
    const attempts = await deliverOnce(context, { version, env: process.env, log: note });
    return print(
      isJson ? shownJson({ attempts }) : `${counted(attempts, "message")} sent. See: astra-budget webhooks list`,
    );
  } catch (error) {
    throw namingFile(error, fileOf(values));
  } finally {
    await context.ledger.close();
  }
}
