// Importing Claude Code's transcripts, against the time that ccusage's native program takes to sum up the same files.
import { execFileSync } from "node:child_process";
import { chmodSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { alone, CLI, ensureBuilt, inFolder, type Row, sideBySide } from "./measure.ts";
import { writeTranscripts } from "./transcripts.ts";

const LINES = 200_000;
const ROUNDS = 5;
/** Only fetched for this, into the folder that is gone afterwards. */
const CCUSAGE = `@ccusage/ccusage-${process.platform}-${process.arch}@20`;
/** Ours is exact; ccusage adds floating-point numbers. */
const CENT_USD = 0.01;

export async function importing(): Promise<Row[]> {
  return await inFolder(async (folder) => {
    const ccusage = fetched(folder);
    if (ccusage === null) return [];
    ensureBuilt();
    const root = join(folder, "claude", "projects");
    const corpus = writeTranscripts(root, LINES, Date.now());
    const env = { PATH: process.env.PATH ?? "", HOME: folder, CLAUDE_CONFIG_DIR: join(folder, "claude") };
    const theirs = () => JSON.parse(run(ccusage, ["claude", "daily", "--offline", "--json"], env)).totals.totalCost;
    const ours = () => {
      const ledger = join(folder, "ledger.db");
      for (const file of readdirSync(folder)) if (file.startsWith("ledger.db")) rmSync(join(folder, file));
      const answer = JSON.parse(
        run(process.execPath, [CLI, "import", "claude-code", "--json", "--ledger", ledger], env),
      );
      if (answer.booked !== corpus.responses) throw new Error(`booked ${answer.booked} of ${corpus.responses}`);
      return answer.cost_usd;
    };
    const times = { ours: [] as number[], theirs: [] as number[] };
    for (let round = -1; round < ROUNDS; round++) {
      const [mine, other] = [timed(ours), timed(theirs)];
      if (Math.abs(mine.value - other.value) > CENT_USD) throw new Error(`$${mine.value} against $${other.value}`);
      if (round < 0) continue;
      times.ours.push(mine.ms);
      times.theirs.push(other.ms);
    }
    const what = `${corpus.lines} lines, ${corpus.responses} responses, ${Math.round(corpus.bytes / 1e6)} MB`;
    const measure = `import claude-code (${what}), against ccusage's sum`;
    return [{ measure, ...sideBySide(times.ours, times.theirs), unit: "ms", target: { most: 1.5 } }];
  });
}

function run(command: string, args: readonly string[], env: Record<string, string>): string {
  return execFileSync(command, args, {
    env,
    encoding: "utf8",
    maxBuffer: 2 ** 28,
    stdio: ["ignore", "pipe", "ignore"],
  });
}

function timed(work: () => number): { value: number; ms: number } {
  const from = performance.now();
  const value = work();
  return { value, ms: performance.now() - from };
}

/** The native program's path; null, and a word about it, where it cannot be had. */
function fetched(folder: string): string | null {
  try {
    const options = { cwd: folder, encoding: "utf8" as const };
    const [name = ""] = execFileSync("npm", ["pack", "--silent", CCUSAGE], options).trim().split("\n").slice(-1);
    execFileSync("tar", ["xzf", name], options);
    const program = join(folder, "package", "bin", "ccusage");
    // As npm does when it installs it.
    chmodSync(program, 0o755);
    return program;
  } catch {
    console.error(`import: ${CCUSAGE} could not be fetched, so there is nothing to compare with`);
    return null;
  }
}

await alone(import.meta.main, importing);
