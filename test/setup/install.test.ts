// `install claude-code` and `uninstall` as a user runs them: which files, what is in them, and what is left.
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { EVENTS, SERVER, toolHandlers } from "../../src/setup/guard.ts";
import { CLI, newRoom, type Room } from "../faces/room.ts";

const INSTALL = ["install", "claude-code"];
const UNINSTALL = ["uninstall", "claude-code"];

const jsonOf = (file: string) => JSON.parse(readFileSync(file, "utf8"));
const settingsOf = (room: Room) => join(room.folder, ".claude", "settings.json");
const serversOf = (room: Room) => join(room.folder, ".claude.json");

/** The user's two files, as they often are. */
function withFiles(room: Room): { settings: string; servers: string } {
  mkdirSync(join(room.folder, ".claude"));
  const settings = '{\n\t"model": "opus",\r\n\t"permissions": {"allow": [ "Bash" ]}\n}\n\n';
  const servers = '{"numStartups":7,"mcpServers":{"other":{"command":"x"}},"projects":{}}';
  writeFileSync(settingsOf(room), settings, { mode: 0o640 });
  writeFileSync(serversOf(room), servers, { mode: 0o600 });
  return { settings, servers };
}

describe("a user's installation", () => {
  test("makes both files for their owner only, and starts this command with absolute paths", async () => {
    const room = newRoom("workspace: {id: home}\n");
    const { code, stdout } = await room.run(INSTALL, { env: { ASTRA_LEDGER: "" } });
    expect(code).toBe(0);
    expect(stdout).toContain(`${settingsOf(room)}: created\n`);
    expect(jsonOf(serversOf(room))).toEqual({
      mcpServers: {
        [SERVER]: {
          type: "stdio",
          command: process.execPath,
          args: [CLI, "stdio", "--config", join(room.folder, "astra.yml")],
        },
      },
    });
    const hooks = toolHandlers(SERVER);
    expect(jsonOf(settingsOf(room))).toEqual({
      hooks: Object.fromEntries(EVENTS.map((event) => [event, [{ hooks: [hooks[event]] }]])),
    });
    for (const file of [settingsOf(room), serversOf(room)]) expect(statSync(file).mode & 0o777).toBe(0o600);
    expect((await room.run(UNINSTALL)).code).toBe(0);
    for (const file of [settingsOf(room), serversOf(room)]) expect(existsSync(file)).toBe(false);
  });

  test("goes into files that are there, a second time without a change, and out without a trace", async () => {
    const room = newRoom();
    const before = withFiles(room);
    await room.run(INSTALL);
    const installed = readFileSync(settingsOf(room), "utf8");
    expect(jsonOf(serversOf(room)).mcpServers).toHaveProperty("other");
    expect(statSync(settingsOf(room)).mode & 0o777).toBe(0o640);
    const again = await room.json(INSTALL);
    expect(again.files).toMatchObject([{ change: "unchanged" }, { change: "unchanged" }]);
    expect(readFileSync(settingsOf(room), "utf8")).toBe(installed);
    await room.run(UNINSTALL);
    expect(readFileSync(settingsOf(room), "utf8")).toBe(before.settings);
    expect(readFileSync(serversOf(room), "utf8")).toBe(before.servers);
    const nothing = await room.json(UNINSTALL);
    expect(nothing.files).toMatchObject([{ change: "unchanged" }, { change: "unchanged" }]);
  });

  test("lies in CLAUDE_CONFIG_DIR where that is set", async () => {
    const room = newRoom();
    const folder = join(room.folder, "elsewhere");
    await room.run(INSTALL, { env: { CLAUDE_CONFIG_DIR: folder } });
    for (const name of ["settings.json", ".claude.json"]) expect(existsSync(join(folder, name)), name).toBe(true);
    expect(existsSync(serversOf(room))).toBe(false);
  });

  test("follows a link to its file, and the link stays", async () => {
    const room = newRoom();
    withFiles(room);
    const real = room.write("dotfiles.json", "{}\n");
    const link = join(room.folder, "config", "settings.json");
    mkdirSync(join(room.folder, "config"));
    symlinkSync(real, link);
    await room.run(INSTALL, { env: { CLAUDE_CONFIG_DIR: join(room.folder, "config") } });
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(jsonOf(real)).toHaveProperty("hooks");
    await room.run(UNINSTALL, { env: { CLAUDE_CONFIG_DIR: join(room.folder, "config") } });
    expect(readFileSync(real, "utf8")).toBe("{}\n");
  });

  test("names the ledger only where it was named, and the hooks' command where they are to start it", async () => {
    const room = newRoom();
    await room.run([...INSTALL, "--command-hooks", "--ledger", "own.db"]);
    expect(jsonOf(serversOf(room)).mcpServers[SERVER].args).toEqual([
      CLI,
      "stdio",
      "--ledger",
      join(room.folder, "own.db"),
    ]);
    const [{ hooks }] = jsonOf(settingsOf(room)).hooks.PostToolBatch;
    expect(hooks).toMatchObject([
      { type: "command", command: process.execPath, args: [CLI, "hook", "--ledger", join(room.folder, "own.db")] },
    ]);
    await room.run(INSTALL);
    expect(readFileSync(settingsOf(room), "utf8")).not.toContain('"command"');
  });
});

test("a project's installation lies in the project, and says that the server must be approved", async () => {
  const room = newRoom();
  const { stdout } = await room.run([...INSTALL, "--project"], { env: { HOME: join(room.folder, "nobody") } });
  expect(stdout).toMatch(/approve the server astra-budget/);
  expect(jsonOf(join(room.folder, ".mcp.json")).mcpServers).toHaveProperty(SERVER);
  expect(jsonOf(settingsOf(room))).toHaveProperty("hooks");
  expect(existsSync(join(room.folder, "nobody"))).toBe(false);
  await room.run([...UNINSTALL, "--project"]);
  expect(existsSync(join(room.folder, ".mcp.json"))).toBe(false);
});

test("a dry run shows the lines that would come and changes nothing", async () => {
  const room = newRoom();
  const before = withFiles(room);
  const { stdout } = await room.run([...INSTALL, "--dry-run"]);
  expect(stdout).toContain("settings.json: would be changed\n");
  expect(stdout).toMatch(/^\+ {4}"PostToolBatch": \[$/m);
  expect(stdout).toMatch(/^-{"numStartups":7/m);
  expect(readFileSync(settingsOf(room), "utf8")).toBe(before.settings);
  expect(readFileSync(serversOf(room), "utf8")).toBe(before.servers);
});

describe("nothing is written", () => {
  test("where one of the files is no JSON: its line and column are named", async () => {
    const room = newRoom();
    const before = withFiles(room);
    writeFileSync(settingsOf(room), '{\n  "model": "opus"\n  "x": 1\n}');
    const { code, stderr } = await room.run(INSTALL);
    expect(code).toBe(2);
    expect(stderr).toContain(`${settingsOf(room)}:3:3 not valid JSON: expected a comma between the values`);
    expect(readFileSync(serversOf(room), "utf8")).toBe(before.servers);
  });

  test("where one of the files may not be written", async () => {
    const room = newRoom();
    const before = withFiles(room);
    chmodSync(join(room.folder, ".claude"), 0o500);
    const { code, stderr } = await room.run(INSTALL, { powerless: true });
    chmodSync(join(room.folder, ".claude"), 0o700);
    expect(code).toBe(2);
    expect(stderr).toContain(`${settingsOf(room)}: the file may not be read or written by this user`);
    expect(readFileSync(serversOf(room), "utf8")).toBe(before.servers);
  });

  test("where the policy has a fault: a server that cannot start would stop every session", async () => {
    const room = newRoom("hardCaps: {maxDuration: soon}\n");
    const { code, stderr } = await room.run(INSTALL);
    expect(code).toBe(2);
    expect(stderr).toContain("astra.yml:1:25 hardCaps.maxDuration");
    expect(existsSync(settingsOf(room))).toBe(false);
  });
});

test("it warns of what would make the guard useless: no policy, a file that Claude Code does not read", async () => {
  const room = newRoom();
  withFiles(room);
  writeFileSync(settingsOf(room), "{\n  // mine\n}\n");
  const { notes } = await room.json(INSTALL);
  expect(notes).toEqual([
    expect.stringContaining("has comments or trailing commas"),
    expect.stringContaining("init --for claude-code"),
  ]);
});

test.each([
  [["install"], "expected the agent: claude-code"],
  [["install", "claude-cod"], "did you mean claude-code?"],
  [["install", "claude-code", "now"], 'unexpected word "now"'],
  [["uninstall", "claude-code", "--user", "--project"], "expected --project or --user, not both"],
  [["install", "claude-code", "--dryrun"], "did you mean --dry-run?"],
])("%j is refused with what was expected", async (args, message) => {
  const { code, stderr } = await newRoom().run(args);
  expect(code).toBe(2);
  expect(stderr).toContain(message);
});
