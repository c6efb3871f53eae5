// `astra-budget hook` as a client's hooks start it: whatever comes, it answers in a known form and ends with 0.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { CLI, newRoom, type Room } from "./room.ts";
import { batch, prompt, respond, transcriptOf } from "./transcripts.ts";

type Ended = {
  readonly code: number | null;
  readonly answer: unknown;
  readonly stderr: string;
  readonly peakMb: number;
};

/** Runs the hook with these pieces on its standard input. */
function hook(room: Room, input: Iterable<string>, args: readonly string[] = []): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CLI, "hook", ...args], { cwd: room.folder, env: room.env });
    let [stdout, stderr, peakMb] = ["", "", 0];
    child.stdout.on("data", (text) => {
      stdout += String(text);
    });
    child.stderr.on("data", (text) => {
      stderr += String(text);
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, answer: JSON.parse(stdout), stderr, peakMb }));
    child.stdin.on("error", () => {});
    void (async () => {
      for (const piece of input)
        if (!child.stdin.write(piece)) {
          await new Promise((drained) => child.stdin.once("drain", drained));
          peakMb = Math.max(peakMb, residentMb(child.pid ?? 0));
        }
      child.stdin.end();
    })();
  });
}

/** Where the system tells it. */
function residentMb(pid: number): number {
  const file = `/proc/${pid}/status`;
  if (!existsSync(file)) return 0;
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(file, "utf8"))?.[1] ?? 0) / 1024;
}

const CLOSED = { continue: false, stopReason: expect.stringContaining("astra-budget:") };
const asked = (input: unknown) => [JSON.stringify(input)];
/** Claude Code's own names on standard input. */
const named = ({ event, ...rest }: { event: string }) => ({ hook_event_name: event, ...rest });

test("it lets a run go on within the cap, and stops it at the cap, with each hook in a process of its own", async () => {
  const room = newRoom("agents: [{ id: claude-code, budget: { maxCostCents: 1 } }]\n");
  const file = transcriptOf(room);
  expect(await hook(room, asked(named(prompt(file))))).toMatchObject({ code: 0, answer: {} });
  for (let nth = 1; nth <= 3; nth++) respond(file, `msg_${nth}`, `c${nth}`);
  expect(await hook(room, asked(named(batch(file, "c3"))))).toMatchObject({ code: 0 });
  respond(file, "msg_4", "c4");
  expect(await hook(room, asked(named(batch(file, "c4"))))).toMatchObject({ code: 0, answer: CLOSED });
  expect(await hook(room, asked(named(prompt(file))))).toMatchObject({ code: 0, answer: { decision: "block" } });
  expect((await room.json(["costs"])).total_cost_usd).toBe(0.012);
});

test.each([
  ["nothing", ""],
  ["garbage", "\u0000\u001b[31m{]"],
  ["a broken object", '{"hook_event_name":"PostToolBatch"'],
  ["a list", "[]"],
])("on %s it is closed, and says so without repeating it", async (_, input) => {
  const { code, answer, stderr } = await hook(newRoom(), [input]);
  expect({ code, answer }).toEqual({ code: 0, answer: CLOSED });
  expect(stderr).not.toContain("\u001b");
});

test("a policy, a ledger or options that cannot be used close it", async () => {
  const broken = newRoom("agents: 5\n");
  expect(await hook(broken, asked(prompt(transcriptOf(broken))))).toMatchObject({
    code: 0,
    answer: { decision: "block" },
    stderr: expect.stringContaining("agents"),
  });
  const room = newRoom();
  const input = asked(named(batch(transcriptOf(room), "a")));
  for (const args of [["--polcy", "x"], ["word"], ["--config", "missing.yml"], ["--ledger", "/dev/null/x.db"]])
    expect(await hook(room, input, args), args.join(" ")).toMatchObject({ code: 0, answer: CLOSED });
  mkdirSync(room.ledger, { recursive: true });
  expect(await hook(room, input)).toMatchObject({ code: 0, answer: CLOSED });
});

test("of an input without end no more is held than any hook has", async () => {
  const piece = "x".repeat(1024 * 1024);
  const { code, answer, peakMb } = await hook(newRoom(), Array(300).fill(piece));
  expect({ code, answer }).toEqual({ code: 0, answer: CLOSED });
  expect(peakMb).toBeLessThan(260);
});
