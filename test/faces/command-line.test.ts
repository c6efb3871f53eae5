// The command line itself: help for everything, and every slip of the pen answered with what was meant.
import { spawn } from "node:child_process";
import { describe, expect, test } from "vitest";
import { commands } from "../../src/faces/terminal.ts";
import { CLI, newRoom, type Run } from "./room.ts";

const names = [
  "stdio",
  "policy",
  "policy check",
  "policy show",
  "ledger backup",
  "export",
  "import",
  ...commands.map((command) => command.words.join(" ")),
];

describe("help", () => {
  test("astra-budget alone, --help, -h and help list every command and exit 0", async () => {
    const room = newRoom();
    const [first, ...others] = await room.runAll([[], ["--help"], ["-h"], ["help"]]);
    expect(await room.run([])).toEqual(first);
    expect(first).toMatchObject({ code: 0, stderr: "" });
    for (const other of others) expect(other).toEqual(first);
    for (const name of names) expect(first?.stdout).toMatch(new RegExp(`^ {2}${name}`, "m"));
    expect(first?.stdout).toContain("Exit codes: 0 done, 1 a check found a difference, 2 wrong arguments");
  });

  test("every command explains itself and all its options, in lines that fit a terminal", async () => {
    const room = newRoom();
    const runs = await room.runAll(names.map((name) => [...name.split(" "), "--help"]));
    for (const [i, { code, stdout, stderr }] of runs.entries()) {
      const name = names[i] ?? "";
      expect([code, stderr], name).toEqual([0, ""]);
      expect(stdout, name).toMatch(new RegExp(`^(Use:|    ) astra-budget ${name}`, "m"));
      const options = commands.find((command) => command.words.join(" ") === name)?.options ?? {};
      for (const option of Object.keys(options))
        expect(stdout, name).toMatch(new RegExp(`^ {2}--${option}\\b.* {2}\\S`, "m"));
      if (name !== "stdio") expect(stdout, name).toContain("--json");
      for (const line of stdout.split("\n")) expect(line.length, line).toBeLessThanOrEqual(120);
    }
  });

  test("help touches no file and needs no policy that is well", async () => {
    const room = newRoom("warnAt: 80");
    expect((await room.run(["costs", "--help"])).code).toBe(0);
    expect((await room.run(["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe("slips of the pen", () => {
  const SLIPS: readonly [string, RegExp][] = [
    ["cost", /unknown command "cost", did you mean costs\?/],
    ["session", /unknown command "session", did you mean sessions\?/],
    ["bogus", /unknown command "bogus"$/m],
    ["task", /task: expected one of: task add, task done, task list/],
    ["task lits", /unknown command "task lits", did you mean task list\?/],
    ["policy chekc x.yml", /unknown command "policy chekc", did you mean policy check\?/],
    ["policy check", /expected the FILE to check/],
    ["policy check a.yml b.yml", /unexpected word "b\.yml"/],
    ["policy show", /--agent: expected an id/],
    ["ledger backup", /expected a FILE to copy to/],
    ["ledger backup a.db b.db", /unexpected word "b\.db"/],
    ["exprot --format csv", /unknown command "exprot", did you mean export\?/],
    ["export", /expected --format/],
    ["export --format xlsx", /--format: expected csv or jsonl/],
    ["export --format csv --focsu", /--focsu: unknown option, did you mean --focus\?/],
    ["export --format csv --out", /--out: expected a value/],
    ["export charges.csv --format csv", /unexpected word "charges\.csv"/],
    ["import", /expected the FILE of an export/],
    ["import a.csv b.csv", /unexpected word "b\.csv"/],
    ["import a.csv", /FILE: expected a file that can be read/],
    ["import a.xlsx", /--format: expected csv or jsonl/],
    ["sessions --csv", /--csv: unknown option/],
    ["--versoin", /--versoin: unknown option/],
    ["costs --mnths 3", /--mnths: unknown option, did you mean --months\?/],
    ["costs extra", /unexpected word "extra"/],
    ["costs --months", /--months: expected a value/],
    ["stop --agent --reason x", /--agent: expected a value; if "--reason" is meant, write --agent=--reason/],
    ["costs --months banana", /--months: expected months, 1 to 120/],
    ["costs --months=0", /--months: expected at least 1/],
    ["costs --limit -1", /--limit: expected at least 0/],
    ["costs --limit 1.5", /--limit: expected a whole number/],
    ["costs --limit Infinity", /--limit: expected sessions, 0 to 500/],
    ["costs --by agents", /--by: expected one of agent, team/],
    ["costs --from 2026-02-30", /--from: expected a date of the calendar/],
    ["costs --from 2026-03-01 --to 2026-02-01", /--from: expected a date not after/],
    ["costs --agent a --agent b", /--agent: given twice/],
    ["sessions --open=yes", /--open: takes no value/],
    ["sessions --limit 501", /--limit: expected at most 500/],
    ["check", /expected --session or --agent/],
    ["check --agent a --cost-usd 1e308", /--cost-usd: expected at most 10,000 dollars/],
    ["check --agent a --input-tokens -5", /--input-tokens: expected 0 or more tokens/],
    ["stop --all", /expected --reason/],
    ["stop --reason x", /expected --session or --agent or --task or --team or --all/],
    ["stop --all --agent a --reason x", /expected exactly one of --session, --agent, --task, --team, --all/],
    ["resume", /expected --session or --agent/],
    ["end", /expected --session/],
    ["end --session x --status open", /--status: expected one of success, error, cancelled/],
    ["task add", /expected an ID\n {2}expected --title/],
    ["task add a<b --title x", /ID: expected an id: 1-128 letters/],
    ["task add a --title x --tag budget:-1", /--tag: expected budget:USD/],
    ["task add a --title x --depends-on nope", /--depends-on: expected known tasks; nope is not one/],
    ["task done a --status finished", /--status: expected one of done, cancelled, open/],
    ["stdio extra", /unexpected word "extra"/],
    ["stdio --agnet a", /--agnet: unknown option, did you mean --agent\?/],
  ];

  test("each exits 2 and says on standard error what was meant and where to read on", async () => {
    const room = newRoom("workspace: { id: acme }");
    const runs = await room.runAll(SLIPS.map(([line]) => line.split(" ")));
    for (const [i, [line, says]] of SLIPS.entries()) {
      const { code, stdout, stderr } = runs[i] as Run;
      expect([code, stdout], line).toEqual([2, ""]);
      expect(stderr, line).toMatch(/^invalid_input: wrong arguments\n( {2}.+\n)+See astra-budget .*--help\.\n$/);
      expect(stderr, line).toMatch(says);
      expect(stderr, line).not.toMatch(/\n\s+at |ERR_PARSE|group_by|_id: /);
    }
  });

  test("with --json the fault is JSON, on standard error too", async () => {
    const { code, stdout, stderr } = await newRoom("{}").run(["costs", "--mnths", "3", "--foo", "--json"]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(JSON.parse(stderr)).toEqual({
      error: {
        code: "invalid_input",
        message: "wrong arguments",
        hint: "See astra-budget costs --help.",
        faults: [
          { path: "--mnths", message: "unknown option, did you mean --months?" },
          { path: "--foo", message: "unknown option" },
        ],
      },
    });
  });

  test("common options may stand before the command", async () => {
    const room = newRoom("{}");
    const { code, stdout } = await room.run(["--ledger", "other.db", "--json", "costs"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ charges: 0 });
  });
});

describe("a reader that goes away", () => {
  test("output into a closed pipe ends quietly, whatever the command", async () => {
    const room = newRoom("agents: [{ id: a, budgett: 1 }]");
    for (const args of [["--help"], ["policy", "check", "astra.yml"], ["costs"]]) {
      const child = spawn(process.execPath, [CLI, ...args], {
        cwd: room.folder,
        env: room.env,
        stdio: ["ignore", "pipe", "pipe"],
      });
      let stderr = "";
      child.stderr.on("data", (chunk) => {
        stderr += chunk;
      });
      child.stdout.destroy();
      await new Promise((resolve) => child.on("close", resolve));
      expect(stderr).not.toMatch(/EPIPE|\n\s+at /);
    }
  });
});
