// Has every model in use a price? Those of the newest transcripts, and those that Claude Code takes when none is named.
import { closeSync, fstatSync } from "node:fs";
import type { PriceList } from "../../core/price.ts";
import { claudeRoot } from "../../meters/claude-code/places.ts";
import { readTranscriptLine } from "../../meters/claude-code/transcript.ts";
import { openConfined } from "../../meters/confined-file.ts";
import { readLines } from "../../meters/line-reader.ts";
import { sessionFiles } from "../../meters/session-files.ts";
import { type Check, fault, ok, warning } from "./check.ts";

/** What the aliases sonnet, opus, haiku and fable stand for in Claude Code 2.1.330. */
const ALIASED = ["claude-sonnet-5-5", "claude-opus-5-5", "claude-haiku-5-5", "claude-fable-5-2"];
/** The newest transcripts, and the end of each: enough to know what is in use. */
const TRANSCRIPTS = 20;
const TAIL_BYTES = 512 * 1024;

const NAME = "prices";

export function checkPrices(prices: PriceList, env: NodeJS.ProcessEnv, nowMs: number): Check[] {
  const used = modelsInUse(env);
  const models = [...new Set([...used, ...ALIASED])].sort();
  const found = models.map((model) => ({ model, price: prices.find(model, null, nowMs) }));
  const unknown = found.filter(({ price }) => price === null).map(({ model }) => model);
  const near = found.filter(({ price }) => price?.basis === "approximate").map(({ model }) => model);
  const checks = [
    ...unknown.map((model) => fault(NAME, `${model} has no price, so what it costs is a guess`, mendFor(model))),
    ...near.map((model) => warning(NAME, `${model} is counted at the price of a near relative`, mendFor(model))),
  ];
  const where = used.length > 0 ? `${used.length} in the newest transcripts` : "there are no transcripts yet";
  return checks.length > 0 ? checks : [ok(NAME, `known for ${models.join(", ")} (${where})`)];
}

const mendFor = (model: string): string =>
  `Name its price under prices: in astra.yml ("${model}": {inputUsd: …, outputUsd: …}).`;

function modelsInUse(env: NodeJS.ProcessEnv): string[] {
  const root = claudeRoot(env);
  const newest = [...sessionFiles(root)].sort((a, b) => b.modifiedAt - a.modifiedAt).slice(0, TRANSCRIPTS);
  return [...new Set(newest.flatMap(({ path }) => modelsIn(root, path)))];
}

function modelsIn(root: string, file: string): string[] {
  const descriptor = openConfined(root, file);
  if (descriptor === null) return [];
  const models: string[] = [];
  try {
    readLines(descriptor, Math.max(0, fstatSync(descriptor).size - TAIL_BYTES), (line) => {
      const read = readTranscriptLine(line);
      if (read.kind === "response") models.push(read.response.model);
    });
  } finally {
    closeSync(descriptor);
  }
  return models;
}
