// A room of its own for a test: an empty folder with a ledger's and a policy's place, and the real command run in it.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { onTestFinished } from "vitest";
import { powerless } from "../powerless.ts";

export const CLI = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));

export type Run = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

export type Room = {
  readonly folder: string;
  readonly ledger: string;
  /** What every process in the room sees, and nothing of ours. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs `astra-budget ...args` to its end. */
  run(
    args: readonly string[],
    options?: { env?: Record<string, string>; node?: string; powerless?: true },
  ): Promise<Run>;
  /** Runs many command lines one after the other in one process, which is the same but for the time it takes. */
  runAll(lines: readonly (readonly string[])[]): Promise<Run[]>;
  /** One with --json, read. */
  json(args: readonly string[]): Promise<Record<string, unknown>>;
  write(name: string, text: string): string;
};

/** Gone when the test is over. Without a policy the built-in one applies. */
export function newRoom(policy?: string): Room {
  const folder = mkdtempSync(join(tmpdir(), "astra-budget-faces-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const ledger = join(folder, "data", "ledger.db");
  const env = { PATH: process.env.PATH ?? "", HOME: folder, ASTRA_LEDGER: ledger };
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  if (policy !== undefined) write("astra.yml", policy);
  const run: Room["run"] = (args, options = {}) =>
    runToEnd(
      ...(options.powerless ? powerless(process.execPath, [CLI, ...args]) : nodeCommand(options.node, args)),
      { ...env, ...options.env },
      folder,
    );
  const runAll = async (lines: readonly (readonly string[])[]): Promise<Run[]> => {
    const args = ["--input-type=module", "--eval", ONE_AFTER_THE_OTHER, JSON.stringify(lines)];
    const { stdout, stderr } = await runToEnd(process.execPath, args, env, folder);
    const [texts, faults] = [stdout.split(SEAM), stderr.split(SEAM)];
    if (texts.length !== lines.length + 1 || faults.length !== lines.length + 1)
      throw new Error(`cut short:\n${stderr}`);
    return lines.map((_, i) => {
      const [code = "", ...text] = (texts[i] ?? "").split("\n").reverse();
      return {
        code: Number(code),
        stdout: text
          .reverse()
          .join("\n")
          .replace(/(?<=.)$/s, "\n"),
        stderr: faults[i] ?? "",
      };
    });
  };
  return {
    folder,
    ledger,
    env,
    run,
    runAll,
    async json(args) {
      const { stdout, stderr } = await run([...args, "--json"]);
      if (stdout === "") throw new Error(stderr);
      return JSON.parse(stdout) as Record<string, unknown>;
    },
    write,
  };
}

/** Stands after what each line of `runAll` wrote; no line writes it itself. */
const SEAM = "\u001e";
const ONE_AFTER_THE_OTHER = `
  import { main } from ${JSON.stringify(pathToFileURL(CLI.replace(/cli\.js$/, "main.js")).href)};
  for (const stream of [process.stdout, process.stderr]) stream.setMaxListeners(0);
  for (const argv of JSON.parse(process.argv[1])) {
    process.exitCode = 0;
    await main(argv);
    process.stdout.write(String(process.exitCode) + ${JSON.stringify(SEAM)});
    process.stderr.write(${JSON.stringify(SEAM)});
  }
  process.exitCode = 0;
`;

function nodeCommand(node: string | undefined, args: readonly string[]): [command: string, args: string[]] {
  return [node ?? process.execPath, [CLI, ...args]];
}

function runToEnd(command: string, args: readonly string[], env: Record<string, string>, cwd: string): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}
