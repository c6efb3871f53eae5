// `import claude-code` and `import codex` as an operator uses them: to the nano-dollar, once, with every fault named.
import { appendFileSync, cpSync, mkdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { newRoom, type Room } from "./room.ts";

const FIXTURES = fileURLToPath(new URL("../meters/fixtures/", import.meta.url));
const SESSION = "-home-u-proj/ad6e0e88-0b1c-4d2e-8f3a-5b6c7d8e9f01.jsonl";

/** A room with the client's own folder in its home, filled with the fixtures. */
function roomWith(client: "claude-code" | "codex"): { room: Room; folder: string } {
  const room = newRoom();
  const folder = join(room.folder, client === "codex" ? ".codex/sessions/2026" : ".claude/projects");
  cpSync(join(FIXTURES, client), folder, { recursive: true });
  return { room, folder };
}

const imported = (room: Room, ...args: string[]) => room.json(["import", ...args]);
const spent = async (room: Room, ...args: string[]) =>
  (await room.json(["costs", "--months", "120", ...args])) as Costs;
type Costs = { total_cost_usd: number; charges: number };

describe("import claude-code", () => {
  test("books the fixtures to the nano-dollar, says so before, and once however often", async () => {
    const { room } = roomWith("claude-code");
    const expected = { files: 2, responses: 4, booked: 4, known: 0, cost_usd: EXPECTED_CLAUDE, faults: 0 };
    expect(await imported(room, "claude-code", "--dry-run")).toMatchObject({ ...expected, dry_run: true });
    expect(await spent(room)).toMatchObject({ charges: 0 });
    expect(await imported(room, "claude-code")).toMatchObject({ ...expected, dry_run: false });
    expect(await spent(room, "--agent", "claude-code")).toMatchObject({ total_cost_usd: EXPECTED_CLAUDE, charges: 4 });
    expect(await imported(room, "claude-code")).toMatchObject({ booked: 0, cost_usd: 0 });
    expect(await room.json(["ledger", "verify"])).toMatchObject({ ok: true });
  });

  test("reads many bytes in a thread beside, with the same outcome", async () => {
    const { room, folder } = roomWith("claude-code");
    const long = `{"type":"user","text":"${"x".repeat(1024 * 1024)}"}\n`;
    writeFileSync(join(folder, "-home-u-proj", "long.jsonl"), `${long.repeat(20)}{"type":"assistant"}\n`);
    const expected = { files: 3, booked: 4, cost_usd: EXPECTED_CLAUDE, faults: 1 };
    expect(await imported(room, "claude-code", "--dry-run")).toMatchObject(expected);
    expect(await imported(room, "claude-code")).toMatchObject(expected);
  });

  test("goes on where a file ended, and reads a copy of it without booking anything", async () => {
    const { room, folder } = roomWith("claude-code");
    const file = join(folder, SESSION);
    const hourAgo = Date.now() / 1000 - 3600;
    for (const name of [file, file.replace(".jsonl", "/subagents/agent-a5540c1d.jsonl")])
      utimesSync(name, hourAgo, hourAgo);
    await imported(room, "claude-code");
    expect(await imported(room, "claude-code")).toMatchObject({ files: 0, responses: 0 });
    appendFileSync(file, `${LATER}\n`);
    expect(await imported(room, "claude-code")).toMatchObject({
      files: 1,
      responses: 1,
      booked: 1,
      cost_usd: 0.000002,
    });
    cpSync(folder, join(room.folder, "copy"), { recursive: true });
    expect(await imported(room, "claude-code", "copy")).toMatchObject({ files: 2, responses: 5, booked: 0, known: 5 });
  });

  test("leaves out the days before --since, which a later import still books; --agent names whose it is", async () => {
    const { room } = roomWith("claude-code");
    expect(await imported(room, "claude-code", "--since", "2026-11-21")).toMatchObject({ responses: 0, booked: 0 });
    expect(await imported(room, "claude-code", "--agent", "ada")).toMatchObject({ booked: 4 });
    expect(await spent(room, "--agent", "ada")).toMatchObject({ charges: 4 });
  });

  test("names faulty lines by file and number, shows no escape of theirs, and exits with 0", async () => {
    const { room, folder } = roomWith("claude-code");
    mkdirSync(join(folder, "bad\u001b[31m"));
    writeFileSync(join(folder, "bad\u001b[31m", "f.jsonl"), `{}\n{"type":"assistant","message":{}}\n`);
    const { code, stdout } = await room.run(["import", "claude-code"]);
    expect(code).toBe(0);
    expect(stdout).toContain("Warning: 1 line should tell usage and cannot be read:\n");
    expect(stdout).toMatch(/bad\?\[31m\/f\.jsonl, line 2: a response without its usage\n$/);
    expect(await imported(room, "claude-code", "--dry-run")).toMatchObject({ faults: 1 });
  });

  test.for([
    [["claude-code", "nowhere"], "DIR: expected a folder of session files that can be read; there is none at /"],
    [["claude-code", "--since", "yesterday"], "--since: expected a date, YYYY-MM-DD"],
    [["claude-code", "--agent", "a b"], "--agent: expected an id"],
    [["codex", ".", "more"], "unexpected word"],
  ] as const)("import %j is refused: %s", async ([words, message]) => {
    const { room } = roomWith("claude-code");
    const { code, stderr } = await room.run(["import", ...words]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});

describe("import codex", () => {
  test("books rollouts of old and new forms, forks without their parents' history, once", async () => {
    const { room, folder } = roomWith("codex");
    // Its model has no price of its own.
    rmSync(join(folder, "rollout-spawned.jsonl"));
    const first = await imported(room, "codex");
    expect(first).toMatchObject({ files: 3, faults: 0, cost_usd: EXPECTED_CODEX });
    expect(await imported(room, "codex")).toMatchObject({ files: 0, booked: 0 });
    expect(await spent(room, "--agent", "codex")).toMatchObject({ total_cost_usd: EXPECTED_CODEX });
    cpSync(folder, join(room.folder, "copy"), { recursive: true });
    expect(await imported(room, "codex", "copy")).toMatchObject({ files: 3, booked: 0 });
    expect(await room.json(["ledger", "verify"])).toMatchObject({ ok: true });
  });
});

/**
 * By hand, in millionths of a dollar, Sonnet 5 at 2 / 10 / 0.20 / 2.50 / 4: twice 10 x 2 + 5,000 x 0.2 + 500 x 2.5 +
 * 1,500 x 4 + 150 x 10 = 9,770; once 3 x 2 + 5,000 x 0.2 + 42 x 10 = 1,426; once 8,600 for 33 of output instead, fast
 * (x 2) and in one country (x 1.1) 18,920, with two searches 20,000.
 */
const EXPECTED_CLAUDE = 0.059886;
/**
 * gpt-5.2 at 1.75 / 0.175 / 14: 9,100 + a search 10,000; 5,775; 21,140. gpt-5 at 1.25 / 0.125 / 10: 2,250; 1,362.5; and
 * 1,212.5 in the fork, whose copy of the other two is not counted.
 */
const EXPECTED_CODEX = 0.05084;

/** One token of input on Sonnet 5, two dollars a million. */
const LATER = JSON.stringify({
  type: "assistant",
  timestamp: "2026-11-20T10:00:00Z",
  message: { id: "msg_later", model: "claude-sonnet-5", usage: { input_tokens: 1, output_tokens: 0 } },
});
