// `doctor` as a user runs it, on an installation that works and on ones that do not; the gate is asked for real.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { rehearse } from "../../src/setup/doctor/rehearsal.ts";
import { CLI, newRoom, type Room } from "../faces/room.ts";

type Found = { readonly name: string; readonly state: string; readonly text: string; readonly mend: string | null };

/** A room with Claude Code of this version on its PATH, or what calls itself so. */
function roomWithClaude(version = "2.1.330"): { room: Room; env: Record<string, string> } {
  const room = newRoom();
  mkdirSync(join(room.folder, "bin"));
  writeFileSync(join(room.folder, "bin", "claude"), `#!/bin/sh\necho "${version} (Claude Code)"\n`, { mode: 0o755 });
  return { room, env: { PATH: `${join(room.folder, "bin")}:${process.env.PATH}` } };
}

async function installed(...options: string[]) {
  const { room, env } = roomWithClaude();
  await room.run(["init", "--for", "claude-code"]);
  await room.run(["install", "claude-code", ...options]);
  return { room, env };
}

async function doctor(room: Room, env: Record<string, string>) {
  const { code, stdout } = await room.run(["doctor", "--json"], { env });
  const checks = (JSON.parse(stdout) as { checks: Found[] }).checks;
  return { code, checks, faults: checks.filter(({ state }) => state !== "ok") };
}

describe("an installation by init and install", () => {
  test.each([[[]], [["--command-hooks"]]])("works with %j, and nothing in it is touched", async (options) => {
    const { room, env } = await installed(...options);
    const settings = readFileSync(join(room.folder, ".claude", "settings.json"), "utf8");
    const { code, checks, faults } = await doctor(room, env);
    expect(faults).toEqual([]);
    expect(code).toBe(0);
    expect(checks.map(({ name }) => name)).toEqual([
      "node",
      "claude code",
      "hooks",
      "server entry",
      "policy",
      "ledger",
      "server",
      "rehearsal",
      "prices",
    ]);
    expect(readFileSync(join(room.folder, ".claude", "settings.json"), "utf8")).toBe(settings);
    expect(() => readFileSync(room.ledger)).toThrow("ENOENT");
  });

  test("says so in words", async () => {
    const { room, env } = await installed();
    const { stdout } = await room.run(["doctor"], { env });
    expect(stdout).toMatch(/^ok +rehearsal: .* was stopped$/m);
    expect(stdout).toMatch(/\nThe guard works\.\n$/);
  });
});

test("where nothing is installed each fault says what to run", async () => {
  const { room, env } = roomWithClaude("2.1.100");
  const { code, faults } = await doctor(room, env);
  expect(code).toBe(1);
  expect(faults.map(({ name, state }) => `${name} ${state}`)).toEqual([
    "claude code warning",
    "hooks fault",
    "server entry fault",
    "policy fault",
  ]);
  for (const { mend } of faults) expect(mend).toMatch(/`(claude update|astra-budget (install|init) .*)`/);
});

test("a settings file with a comment is one that Claude Code does not read", async () => {
  const { room, env } = await installed();
  const file = join(room.folder, ".claude", "settings.json");
  writeFileSync(file, `// mine\n${readFileSync(file, "utf8")}`);
  const { faults } = await doctor(room, env);
  expect(faults.map(({ text }) => text)).toEqual([
    expect.stringContaining(`takes no notice of ${file}: it has comments`),
    "none is installed",
  ]);
});

test("a policy that was broken since is named with its fault, and so is the server that cannot start", async () => {
  const { room, env } = await installed();
  room.write("astra.yml", "hardCaps: {maxDuration: soon}\n");
  const { faults } = await doctor(room, env);
  expect(faults.map(({ name }) => name)).toEqual(["policy", "server"]);
  expect(faults[0]?.text).toContain("astra.yml:1:25 hardCaps.maxDuration");
});

test("a policy that was taken away is missed", async () => {
  const { room, env } = await installed();
  rmSync(join(room.folder, "astra.yml"));
  const { faults } = await doctor(room, env);
  expect(faults[0]).toMatchObject({ name: "policy", text: expect.stringContaining("does not exist") });
});

test("a ledger that is none is named", async () => {
  const { room, env } = await installed();
  mkdirSync(join(room.folder, "data"));
  writeFileSync(room.ledger, "no ledger at all, but a text that somebody wrote there by mistake\n".repeat(20));
  const { faults } = await doctor(room, env);
  expect(faults.map(({ name }) => name)).toContain("ledger");
});

test("a model of the transcripts without a price is named with the line to add", async () => {
  const { room, env } = await installed();
  const folder = join(room.folder, ".claude", "projects", "-home-u");
  mkdirSync(folder, { recursive: true });
  const line = {
    type: "assistant",
    timestamp: "2026-11-22T12:00:00.000Z",
    message: { id: "msg_1", model: "nobody-knows-9", content: [], usage: { input_tokens: 1, output_tokens: 1 } },
  };
  writeFileSync(join(folder, "1b4e28ba-2fa1-11d2-883f-0016d3cca427.jsonl"), `${JSON.stringify(line)}\n`);
  const { faults } = await doctor(room, env);
  expect(faults).toEqual([
    expect.objectContaining({
      name: "prices",
      text: expect.stringContaining("nobody-knows-9 has no price"),
      mend: expect.stringContaining('"nobody-knows-9": {inputUsd: …'),
    }),
  ]);
});

describe("the rehearsal", () => {
  const other = fileURLToPath(new URL("./other-gate.ts", import.meta.url));
  const gateThatSays = (text: string) =>
    rehearse({ command: process.execPath, args: [other, text], env: {} }, null, new Date("2026-11-22T12:00:00Z"));

  test.each([
    ["{}", "a response over the budget was not stopped"],
    ['{"continue":false}', "a response within the budget was stopped, so all would be"],
    ["all is well", "the gate answered something that is no JSON"],
  ])("finds out a gate that always says %s", async (text, message) => {
    expect(await gateThatSays(text)).toMatchObject({ state: "fault", text: message });
  });

  test("finds out a server without the gate, and one that does not start", async () => {
    const now = new Date("2026-11-22T12:00:00Z");
    const broken = { command: process.execPath, args: [join(CLI, "no-such-file")], env: {} };
    expect(await rehearse(broken, null, now)).toMatchObject({ state: "fault" });
    const hook = { command: process.execPath, args: ["--eval", "process.exit(3)", "--"] };
    const entry = { command: process.execPath, args: [CLI, "stdio"], env: {} };
    expect(await rehearse(entry, hook, now)).toMatchObject({ state: "fault", text: "it ended with code 3" });
  });
});

test("an unexpected word is refused", async () => {
  const { code, stderr } = await newRoom().run(["doctor", "who"]);
  expect(code).toBe(2);
  expect(stderr).toContain('unexpected word "who"');
});
