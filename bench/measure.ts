// What every benchmark shares: one row of the table, medians, a temporary folder, and a dist that is up to date.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadPolicy } from "../src/config.ts";
import { contextOver } from "../src/context.ts";
import type { Ledger } from "../src/ledger/ledger.ts";
import type { Context } from "../src/operations/operation.ts";

/** One comparison: what is put against what, in one unit, and what was promised of the ratio. */
export type Row = {
  readonly measure: string;
  readonly ours: number;
  readonly theirs: number;
  readonly unit: string;
  readonly ratio: number;
  /** Null = told for information. */
  readonly target: { readonly least: number } | { readonly most: number } | null;
};

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
export const POLICY = join(ROOT, "astra.yml.example");
export const CLI = join(ROOT, "dist", "cli.js");
export const BARE_SERVER = join(ROOT, "bench", "bare-server.js");

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** The value that `share` of them do not exceed. */
export function percentile(values: readonly number[], share: number): number {
  return [...values].sort((a, b) => a - b)[Math.ceil(values.length * share) - 1] ?? Number.NaN;
}

/** Rounds measured side by side: medians, and the median of the rounds' own ratios, which a busy machine spoils least. */
export function sideBySide(ours: readonly number[], theirs: readonly number[]): Pick<Row, "ours" | "theirs" | "ratio"> {
  const ratios = ours.map((value, i) => value / (theirs[i] ?? Number.NaN));
  return { ours: median(ours), theirs: median(theirs), ratio: median(ratios) };
}

/** The context of a server on the example policy, as `astra-budget stdio` builds it. */
export function contextOn(ledger: Ledger): Context {
  const { policy } = loadPolicy(POLICY);
  return contextOver(ledger, () => policy);
}

/** Runs something in a folder of its own, which is gone afterwards. */
export async function inFolder<T>(run: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "astra-bench-"));
  try {
    return await run(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What is measured as a process is dist/: it is built where a source is newer. */
export function ensureBuilt(): void {
  const newest = (folder: string): number =>
    Math.max(
      ...readdirSync(join(ROOT, folder), { recursive: true }).map(
        (file) => statSync(join(ROOT, folder, String(file))).mtimeMs,
      ),
    );
  if (existsSync(CLI) && statSync(CLI).mtimeMs >= newest("src")) return;
  console.error("dist/ is older than src/: running npm run build");
  execFileSync("npm", ["run", "build"], { cwd: ROOT, stdio: ["ignore", "ignore", "inherit"] });
}

export function printTable(rows: readonly Row[]): void {
  const table = rows.map((row) => [
    row.measure,
    amount(row.ours, row.unit),
    amount(row.theirs, row.unit),
    row.ratio.toFixed(2),
    targetText(row.target),
    outcome(row),
  ]);
  const lines = [["measure", "ours", "theirs", "ratio", "target", ""], ...table];
  const widths = lines[0]?.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0))) ?? [];
  for (const line of lines)
    console.log(
      line
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join("  ")
        .trimEnd(),
    );
}

function targetText(target: Row["target"]): string {
  if (target === null) return "-";
  return "least" in target ? `>= ${target.least}` : `<= ${target.most}`;
}

function outcome({ ratio, target }: Row): string {
  if (target === null) return "";
  return ("least" in target ? ratio >= target.least : ratio <= target.most) ? "met" : "missed";
}

function amount(value: number, unit: string): string {
  return `${value >= 100 ? value.toFixed(0) : value.toPrecision(3)} ${unit}`;
}

/** Runs one benchmark alone, when its file is what node was given. */
export async function alone(isMain: boolean, benchmark: () => Promise<readonly Row[]>): Promise<void> {
  if (isMain) printTable(await benchmark());
}
