// `npm run demo`: four short scenes on a temporary ledger, with no key and no network, and what they cost.
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parentAndChildren, race, retryLoop, wellBehaved } from "./scenes.ts";

const cli = fileURLToPath(new URL("../dist/cli.js", import.meta.url));
if (!existsSync(cli)) {
  console.error("dist/ is missing: run `npm ci` (or `npm run build`) first.");
  process.exit(2);
}

const room = mkdtempSync(join(tmpdir(), "astra-budget-demo-"));
const config = join(room, "astra.yml");
const ledger = join(room, "ledger.db");
copyFileSync(fileURLToPath(new URL("../astra.yml.example", import.meta.url)), config);
const places = ["--config", config, "--ledger", ledger];
const server = [cli, "stdio", ...places];

const scenes = [
  ["1. A well-behaved agent: asks, works, reports, ends", wellBehaved],
  ["2. A retry loop: warned at 80 %, stopped at its cap of $0.30", retryLoop],
  ["3. A parent with $1.00 and three children who would like $0.40 each", parentAndChildren],
  ["4. Four agent processes race for one team's $1.00 of the day", race],
] as const;

try {
  for (const [title, play] of scenes) {
    console.log(`\n${title}\n`);
    await play(server);
  }
  console.log("\nWhat it cost (astra-budget costs)\n");
  const run = (...words: string[]) => execFileSync(process.execPath, [cli, ...words, ...places], { encoding: "utf8" });
  console.log(run("costs", "--by", "team", "--limit", "8"));
  console.log(run("ledger", "verify"));
} finally {
  rmSync(room, { recursive: true, force: true });
}
