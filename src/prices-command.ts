// `astra-budget prices MODEL` and `prices check`: what is charged and why, and our prices beside a second list.
import { loadPolicy } from "./config.ts";
import { isPlainText } from "./core/plain-text.ts";
import { BUILT_IN_POLICY } from "./core/policy-resolve.ts";
import { readOptions, unexpectedWord, type Values, wrongArguments } from "./faces/options.ts";
import { shownJson } from "./faces/table.ts";
import { date } from "./operations/input.ts";
import { policyFile } from "./place.ts";
import { explainedPrice, type Question } from "./price-explained.ts";
import { explainedOut, explainedText } from "./price-text.ts";
import { openPriceList } from "./prices.ts";

const HELP = `Use: astra-budget prices MODEL [--provider NAME] [--at DATE]
     astra-budget prices check

prices MODEL shows what a model's tokens cost, by which row of which list, and why; exits 4 where no list knows it, with
what the policy's unknownModel makes of that.
prices check compares our prices with LiteLLM's, as they were on the day of its list; exits 1 on a difference that is
not known and explained.

  --provider NAME  who sells the model: anthropic, openai, google, bedrock, azure, openrouter, ... (else the list says)
  --at DATE        the price of that day (UTC); today's when absent
  --config FILE    the policy (ASTRA_CONFIG; else astra.yml in this folder, if there is one)
  --json           the whole answer for machines`;
const HINT = "See astra-budget prices --help.";
/** Longer than any model's or provider's name. */
const MAX_NAME_LENGTH = 256;

export async function pricesCommand(argv: readonly string[], isHelp: boolean, isJson: boolean): Promise<number> {
  if (isHelp) return say(HELP);
  const { values, words } = readOptions(argv, { provider: "text", at: "text" }, HINT);
  const [, model, more] = words;
  if (model === undefined)
    throw wrongArguments([{ path: "", message: "expected a MODEL, such as claude-opus-5-5, or check" }], HINT);
  if (more !== undefined) throw unexpectedWord(more, HINT);
  if (model === "check") return await check(values, isJson);
  return show(questionOf(model, values), values, isJson);
}

function questionOf(model: string, values: Values): Question {
  return {
    model: nameOf("MODEL", model),
    provider: values.provider === undefined ? null : nameOf("--provider", values.provider),
    atMs: values.at === undefined ? Date.now() : dayOf(values.at),
  };
}

function nameOf(path: string, value: unknown): string {
  const name = String(value).trim();
  if (name !== "" && name.length <= MAX_NAME_LENGTH && isPlainText(name)) return name;
  throw wrongArguments([{ path, message: `expected a name of 1-${MAX_NAME_LENGTH} characters on one line` }], HINT);
}

function dayOf(value: unknown): number {
  const parsed = date.safeParse(value);
  if (!parsed.success)
    throw wrongArguments([{ path: "--at", message: "expected a date of the calendar, YYYY-MM-DD" }], HINT);
  return Date.parse(parsed.data);
}

function show(question: Question, values: Values, isJson: boolean): number {
  const file = policyFile(values.config as string | undefined);
  const policy = file === null ? BUILT_IN_POLICY : loadPolicy(file).policy;
  const explained = explainedPrice(openPriceList(policy.prices), policy, question);
  const text = isJson ? shownJson(explainedOut(question, explained)) : explainedText(question, explained);
  return say(text, explained.isKnown ? 0 : 4);
}

async function check(values: Values, isJson: boolean): Promise<number> {
  for (const option of ["provider", "at"])
    if (values[option] !== undefined)
      throw wrongArguments([{ path: `--${option}`, message: "is of prices MODEL, not of prices check" }], HINT);
  const { comparePrices } = await import("./price-check.ts");
  const { comparisonOut, comparisonText, isAlike } = await import("./price-check-text.ts");
  const { SECOND_LIST } = await import("./price-second-list.ts");
  // Without the policy's prices: the operator's own are meant to differ.
  const comparison = comparePrices(openPriceList(new Map()), SECOND_LIST);
  const text = isJson ? shownJson(comparisonOut(comparison, SECOND_LIST)) : comparisonText(comparison, SECOND_LIST);
  return say(text, isAlike(comparison) ? 0 : 1);
}

function say(text: string, code = 0): number {
  process.stdout.write(`${text}\n`);
  return code;
}
