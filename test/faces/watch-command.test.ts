// watch as a process: one frame where nobody follows it, and in a real terminal a screen that follows other processes and leaves it tidy.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { expect, onTestFinished, test } from "vitest";
import { type Agent, modern } from "./clients.ts";
import { CLI, newRoom, type Room } from "./room.ts";

const POLICY = "workspace: { id: acme, dailyCostLimitUsd: 25 }\nagents: [{ id: ada }]\n";

/** Anything but text and line ends. */
const ESCAPE = /[^\P{Cc}\n]/u;

async function spend(agent: Agent, cost_usd: number): Promise<void> {
  const { session_id } = (await agent.call("open_session", { agent_id: "ada", task_id: "fix" })).data;
  await agent.call("report_usage", { session_id, input_tokens: 10, output_tokens: 2, cost_usd });
}

test("without a terminal it prints one frame without any escape, with --json the whole answer, and ends", async () => {
  const room = newRoom(POLICY);
  const empty = await room.run(["watch"]);
  expect(empty).toMatchObject({ code: 0, stderr: "" });
  expect(empty.stdout).toContain("astra-budget install claude-code");
  const agent = await modern(room);
  await spend(agent, 0.25);
  await agent.leave();
  for (const args of [["watch"], ["watch", "--once"]]) {
    const { code, stdout } = await room.run(args);
    expect(code).toBe(0);
    expect(stdout).not.toMatch(ESCAPE);
    expect(stdout).toMatch(/^acme {2}/);
    expect(stdout).toMatch(/^ada +allow +\$0\.25 /m);
    expect(stdout).toMatch(/^workspace acme today +·{10} {3}1 % +ok +\$0\.25 +\$25\.00/m);
  }
  const { today, feed } = (await room.json(["watch", "--once"])) as { today: object; feed: object[] };
  expect(today).toMatchObject({ spent_usd: 0.25 });
  expect(feed).toMatchObject([{ agent_id: "ada", task_id: "fix", cost_usd: 0.25 }]);
});

test("it says how it is used, and what is wrong with other words", async () => {
  const room = newRoom(POLICY);
  expect((await room.run(["watch", "--help"])).stdout).toMatch(/^Use: astra-budget watch .*--once/s);
  expect(await room.run(["watch", "closely"])).toMatchObject({ code: 2, stdout: "" });
});

const hasScript = spawnSync("script", ["--version"]).stdout?.toString().includes("util-linux") ?? false;

type Terminal = {
  readonly process: ChildProcess;
  shown(): string;
  until(pattern: RegExp): Promise<void>;
  ended(): Promise<number | null>;
};

/** The real command in a pseudo-terminal of 100 columns and 30 rows. */
function inTerminal(room: Room, args: readonly string[], env: Record<string, string> = {}): Terminal {
  const line = `echo pid=$$; stty cols 100 rows 30; exec "${process.execPath}" "${CLI}" ${args.join(" ")}`;
  const child = spawn("script", ["-qefc", line, "/dev/null"], {
    cwd: room.folder,
    env: { ...room.env, TERM: "xterm-256color", SHELL: "/bin/sh", ...env },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let shown = "";
  child.stdout.on("data", (data) => {
    shown += data;
  });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  return {
    process: child,
    shown: () => shown,
    ended: () => ended,
    until: (pattern) => expect.poll(() => shown, { timeout: 15_000, interval: 50 }).toMatch(pattern),
  };
}

const ENTERED = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const LEFT = "\x1b[?7h\x1b[?25h\x1b[?1049l";

test.skipIf(!hasScript)("in a terminal it follows what another process spends, until q", async () => {
  const room = newRoom(POLICY);
  const agent = await modern(room);
  const terminal = inTerminal(room, ["watch"]);
  await terminal.until(/acme .*q quits/);
  expect(terminal.shown()).not.toContain("$0.75");
  await spend(agent, 0.75);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a colour is looked for.
  await terminal.until(/ada +\x1b\[32mallow {2}\x1b\[0m +\$0\.75/);
  await agent.leave();
  terminal.process.stdin?.write("q");
  expect(await terminal.ended()).toBe(0);
  expect(terminal.shown().endsWith(LEFT)).toBe(true);
  expect(terminal.shown().split(ENTERED)).toHaveLength(2);
});

test.skipIf(!hasScript)("Ctrl-C and a signal leave the screen as tidy; NO_COLOR leaves the colours out", async () => {
  const room = newRoom(POLICY);
  const terminal = inTerminal(room, ["watch"], { NO_COLOR: "1" });
  await terminal.until(/Limits/);
  terminal.process.stdin?.write("\x03");
  expect(await terminal.ended()).toBe(0);
  expect(terminal.shown().endsWith(LEFT)).toBe(true);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a colour is looked for.
  expect(terminal.shown()).not.toMatch(/\x1b\[\d+m/);
  const other = inTerminal(room, ["watch"]);
  await other.until(/Limits/);
  process.kill(Number(/pid=(\d+)/.exec(other.shown())?.[1]), "SIGTERM");
  expect(await other.ended()).toBe(0);
  expect(other.shown().endsWith(LEFT)).toBe(true);
});

test.skipIf(!hasScript)("in a terminal --json is a line at every change, and --once one frame", async () => {
  const room = newRoom(POLICY);
  const once = inTerminal(room, ["watch", "--once"]);
  expect(await once.ended()).toBe(0);
  expect(once.shown()).toContain("Limits (1)");
  expect(once.shown()).not.toMatch(/[^\P{Cc}\r\n]/u);
  const agent = await modern(room);
  const terminal = inTerminal(room, ["watch", "--json"]);
  await terminal.until(/"feed_cursor":"0"/);
  await spend(agent, 0.75);
  await terminal.until(/"feed_cursor":"1"/);
  await agent.leave();
  terminal.process.stdin?.write("q");
  expect(await terminal.ended()).toBe(0);
  const lines = terminal
    .shown()
    .trim()
    .split("\r\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as { feed: object[] });
  expect(lines.flatMap(({ feed }) => feed)).toHaveLength(1);
});
