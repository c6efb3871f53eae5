// A server as a process: what it leaves behind, when it is gone, where it looks, and whom it serves.
import { spawn } from "node:child_process";
import { existsSync, readdirSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { legacy, modern, old } from "./clients.ts";
import { CLI, newRoom, type Room } from "./room.ts";

describe("a client that only looks", () => {
  test.each([
    ["of 2026", modern],
    ["of 2025", legacy],
    ["of the old SDK", old()],
  ] as const)("%s negotiates and lists tools, and leaves no file behind", async (_, connect) => {
    const room = newRoom();
    const agent = await connect(room);
    expect(await agent.tools()).toHaveLength(5);
    await agent.leave();
    expect(readdirSync(room.folder)).toEqual([]);
  });

  test("leaves an existing ledger as it was", async () => {
    const room = newRoom();
    await (await modern(room)).call("open_session", { agent_id: "ada" });
    const before = await room.json(["sessions"]);
    const agent = await modern(room);
    await agent.tools();
    await agent.leave();
    const after = await room.json(["sessions"]);
    const ids = (answer: Record<string, unknown>) =>
      (answer.sessions as { session_id: string }[]).map((s) => s.session_id);
    expect(ids(after)).toEqual(ids(before));
  });
});

/** A server that has done some work, as a bare process. */
async function working(room: Room): Promise<{ stop(how: "end" | NodeJS.Signals): Promise<[number, number | null]> }> {
  const child = spawn(process.execPath, [CLI, "stdio"], {
    cwd: room.folder,
    env: room.env,
    stdio: ["pipe", "pipe", "ignore"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const send = (message: object) => child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  const answered = new Promise<void>((resolve) => {
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (more: string) => {
      text += more;
      if (text.includes("ses_")) resolve();
    });
  });
  const params = { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "raw", version: "1" } };
  send({ id: 1, method: "initialize", params });
  send({ method: "notifications/initialized" });
  send({ id: 2, method: "tools/call", params: { name: "open_session", arguments: { agent_id: "ada" } } });
  await answered;
  return {
    stop(how) {
      const start = performance.now();
      const gone = new Promise<[number, number | null]>((resolve) =>
        child.on("exit", (code) => resolve([performance.now() - start, code])),
      );
      if (how === "end") child.stdin.end();
      else child.kill(how);
      return gone;
    },
  };
}

describe("leaving", () => {
  test.each(["end", "SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "on %s it is gone within a second, all kept",
    async (how) => {
      const room = newRoom();
      const server = await working(room);
      const [ms, code] = await server.stop(how);
      expect(ms).toBeLessThan(1000);
      expect(code).toBe(0);
      expect((await room.json(["sessions"])).sessions).toHaveLength(1);
      expect(await room.json(["ledger", "verify"])).toMatchObject({ ok: true });
    },
  );

  test("a client that closes the reading end does not leave a server behind", async () => {
    const room = newRoom();
    const child = spawn(process.execPath, [CLI, "stdio"], { cwd: room.folder, env: room.env });
    onTestFinished(() => void child.kill("SIGKILL"));
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.stdin.on("error", () => {});
    child.stdout.destroy();
    const gone = new Promise<number | null>((resolve) => child.on("close", resolve));
    const ping = setInterval(() => child.stdin.write('{"jsonrpc":"2.0","id":1,"method":"ping"}\n'), 50);
    expect(await gone).toBe(0);
    clearInterval(ping);
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});

describe("where things lie", () => {
  test("without a word the ledger is in the platform's data folder, for its owner only", async () => {
    const room = newRoom();
    const agent = await modern(room, [], { ASTRA_LEDGER: "", XDG_DATA_HOME: join(room.folder, "xdg") });
    await agent.call("open_session", { agent_id: "ada" });
    const file =
      process.platform === "linux"
        ? join(room.folder, "xdg", "astra-budget", "ledger.db")
        : join(room.folder, "Library", "Application Support", "astra-budget", "ledger.db");
    for (const name of [file, `${file}-wal`, `${file}-shm`]) expect(statSync(name).mode & 0o777, name).toBe(0o600);
    expect(statSync(join(file, "..")).mode & 0o777).toBe(0o700);
    expect(existsSync(room.ledger)).toBe(false);
  });

  test.runIf(process.platform === "linux")("without XDG_DATA_HOME it is below ~/.local/share", async () => {
    const room = newRoom();
    const agent = await modern(room, [], { ASTRA_LEDGER: "" });
    await agent.call("open_session", { agent_id: "ada" });
    expect(existsSync(join(room.folder, ".local", "share", "astra-budget", "ledger.db"))).toBe(true);
  });

  test("ASTRA_LEDGER names it, --ledger goes before, and a relative name counts from the working folder", async () => {
    const room = newRoom();
    const agent = await modern(room, ["--ledger", "here/mine.db"]);
    await agent.call("open_session", { agent_id: "ada" });
    expect(existsSync(join(room.folder, "here", "mine.db"))).toBe(true);
    expect(existsSync(room.ledger)).toBe(false);
    const other = await modern(room);
    await other.call("open_session", { agent_id: "ada" });
    expect(statSync(room.ledger).mode & 0o777).toBe(0o600);
  });

  test("the policy is --config, else ASTRA_CONFIG, else astra.yml here, else built in with a note", async () => {
    const limit = async (room: Room, args: string[], env: Record<string, string>) => {
      const agent = await modern(room, args, env);
      const { data } = await agent.call("check_budget", { agent_id: "ada" });
      return [data.daily_limit_usd, agent.stderr()] as const;
    };
    const room = newRoom();
    const [none, note] = await limit(room, [], {});
    expect(none).toBeNull();
    expect(note).toBe(
      "astra-budget: no astra.yml found: the built-in roles and hard caps apply. Name one with --config FILE.\n",
    );
    room.write("astra.yml", "workspace: { dailyCostLimitUsd: 1 }");
    const two = room.write("two.yml", "workspace: { dailyCostLimitUsd: 2 }");
    const three = room.write("three.yml", "workspace: { dailyCostLimitUsd: 3 }");
    expect(await limit(room, [], {})).toEqual([1, ""]);
    expect(await limit(room, [], { ASTRA_CONFIG: two })).toEqual([2, ""]);
    expect(await limit(room, ["--config", three], { ASTRA_CONFIG: two })).toEqual([3, ""]);
  });

  test("a broken policy at start is told with every fault and exit code 2, and nothing is served", async () => {
    const room = newRoom("agents:\n  - id: a\n    budgett: {}\nwarnAt: 80\n");
    const { code, stdout, stderr } = await room.run(["stdio"]);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/^policy_invalid: astra\.yml:3:5 agents\[0\]\.budgett: .*\nastra\.yml:4:9 warnAt: /);
  });
});

describe("a policy that changes under a running server", () => {
  test("a valid edit counts at the next call, a broken one is told on stderr and the old one stays", async () => {
    const room = newRoom("workspace: { dailyCostLimitUsd: 1 }");
    const agent = await modern(room);
    const limit = async () => (await agent.call("check_budget", { agent_id: "ada" })).data.daily_limit_usd;
    expect(await limit()).toBe(1);
    room.write("astra.yml", "workspace: { dailyCostLimitUsd: 2 }");
    expect(await limit()).toBe(2);
    expect(agent.stderr()).toContain("the changed policy is in effect for new decisions");
    room.write("astra.yml", "workspace: { dailyCostLimitUsd: plenty }");
    expect(await limit()).toBe(2);
    expect(agent.stderr()).toMatch(
      /the changed policy is not valid; the old one stays in effect\.\nastra\.yml:1:33 workspace\.dailyCostLimitUsd: /,
    );
    room.write("astra.yml", "workspace: { dailyCostLimitUsd: 2 }");
    utimesSync(join(room.folder, "astra.yml"), 1, 1);
    expect(await limit()).toBe(2);
  });
});

describe("a server pinned to an agent", () => {
  test("needs no agent_id, refuses any other, and its session, parent and hold of another are not there", async () => {
    const room = newRoom();
    const free = await modern(room);
    const other = (await free.call("open_session", { agent_id: "eve" })).data.session_id;
    const pinned = await modern(room, ["--agent", "ada"]);

    expect((await pinned.call("open_session")).data).toMatchObject({ status: "open", agent_id: "ada" });
    expect((await pinned.call("open_session", { agent_id: "ada" })).data).toMatchObject({ agent_id: "ada" });
    for (const [tool, args] of [
      ["open_session", { agent_id: "eve" }],
      ["check_budget", { agent_id: "eve" }],
      ["get_costs", { agent_id: "eve" }],
    ] as const) {
      const { isError, text } = await pinned.call(tool, args);
      expect(isError).toBe(true);
      expect(text).toMatch(/^not_found: There is no such agent for this caller\. Leave agent_id out, or name ada/);
    }
    for (const [tool, args] of [
      ["report_usage", { session_id: other, input_tokens: 1, output_tokens: 1 }],
      ["check_budget", { session_id: other }],
      ["end_session", { session_id: other }],
      ["get_costs", { session_id: other }],
      ["open_session", { parent_session_id: other }],
    ] as const)
      expect((await pinned.call(tool, args)).text).toMatch(/^session_not_found: There is no such session\./);
    expect((await free.call("get_costs")).data).toMatchObject({ charges: 0 });
  });

  test("sees its own costs only", async () => {
    const room = newRoom();
    const free = await modern(room);
    const pinned = await modern(room, ["--agent", "ada"]);
    for (const [agent, args] of [
      [free, { agent_id: "eve" }],
      [pinned, {}],
    ] as const) {
      const { data } = await agent.call("open_session", args);
      await agent.call("report_usage", {
        session_id: data.session_id,
        input_tokens: 1,
        output_tokens: 1,
        cost_usd: 0.5,
      });
    }
    const { data } = await pinned.call("get_costs", { group_by: ["agent", "user"] });
    expect(data).toMatchObject({ total_cost_usd: 0.5, by_agent: { ada: 0.5 } });
    expect(JSON.stringify(data)).not.toContain("eve");
    expect((await free.call("get_costs")).data).toMatchObject({ total_cost_usd: 1 });
  });

  test("no server shows session ids in costs, because whoever has one can spend on it", async () => {
    const agent = await modern(newRoom());
    const { data } = await agent.call("open_session", { agent_id: "ada" });
    expect((await agent.call("get_costs")).text).not.toContain(data.session_id);
  });

  test("an id that is none is refused at start", async () => {
    const { code, stderr } = await newRoom().run(["stdio", "--agent", "a b"]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/--agent: expected an id/)]);
  });
});
