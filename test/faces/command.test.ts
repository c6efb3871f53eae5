// The operator's commands as an operator uses them: text for eyes, --json for scripts, exit codes for both.
import { chmodSync, existsSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { type Agent, modern } from "./clients.ts";
import { newRoom, type Room } from "./room.ts";

const POLICY = `
workspace: { id: acme, dailyCostLimitUsd: 25 }
teams:
  - { id: research, dailyCostLimitUsd: 2 }
  - { id: night }
agents:
  - { id: ada, team: research, provider: anthropic, budget: { maxCostCents: 50 } }
  - { id: bob, team: research }
tasks:
  - { id: fix, title: Fix the typo, team: research, tags: ["budget:0.50"] }
  - { id: publish, title: Publish, depends_on: [fix] }
`;

const opened = async (agent: Agent, args: object): Promise<string> =>
  (await agent.call("open_session", { ...args })).data.session_id as string;
const decided = async (agent: Agent, session_id: string): Promise<[string, string]> => {
  const { decision, message } = (await agent.call("check_budget", { session_id })).data.verdict as Record<
    string,
    string
  >;
  return [decision ?? "", message ?? ""];
};

/** A room where ada has spent $0.30 on a task and bob $0.10, each in an open session. */
async function usedRoom(): Promise<{ room: Room; agent: Agent; ada: string; bob: string }> {
  const room = newRoom(POLICY);
  const agent = await modern(room);
  const ada = await opened(agent, { agent_id: "ada", task_id: "fix", user_id: "carol" });
  const bob = await opened(agent, { agent_id: "bob" });
  await agent.call("report_usage", {
    session_id: ada,
    input_tokens: 1000,
    output_tokens: 200,
    cost_usd: 0.3,
    tool: "web_search",
  });
  await agent.call("report_usage", {
    session_id: bob,
    input_tokens: 10,
    output_tokens: 2,
    cost_usd: 0.1,
    error: "It broke.",
  });
  return { room, agent, ada, bob };
}

describe("looking", () => {
  test("costs, sessions and check in text and JSON", async () => {
    const { room, ada, bob } = await usedRoom();

    const costs = await room.run(["costs", "--by", "team,task", "--by", "user"]);
    expect(costs).toMatchObject({ code: 0, stderr: "" });
    expect(costs.stdout).toMatch(
      /^\$0\.40 from \d{4}-\d\d-01 to \d{4}-\d\d-\d\d, 1,010 input tokens and 202 output tokens, 2 charges\n/,
    );
    for (const row of [
      /^ada +\$0\.30 {2}█{7,8}·+ 75 %$/m,
      /^fix +\$0\.30/m,
      /^carol +\$0\.30/m,
      /^research +\$0\.40/m,
      /^web_search +\$0\.30/m,
    ])
      expect(costs.stdout).toMatch(row);
    expect(costs.stdout).toMatch(new RegExp(`^${ada}  ada +Fix the typo +open +\\$0\\.30 +1,200`, "m"));
    expect(await room.json(["costs", "--agent", "ada", "--limit", "0", "--days", "1"])).toMatchObject({
      total_cost_usd: 0.3,
      sessions: [],
      sessions_left_out: 1,
    });
    for (const filter of [
      ["--team", "night"],
      ["--task", "publish"],
      ["--user", "eve"],
      ["--provider", "acme"],
      ["--to", "2020-01-01"],
    ])
      expect(await room.json(["costs", ...filter]), filter[0]).toMatchObject({ total_cost_usd: 0 });
    expect(await room.json(["costs", "--session", bob, "--from", "2020-01-01"])).toMatchObject({
      by_agent: { bob: 0.1 },
    });

    const sessions = await room.run(["sessions"]);
    expect(sessions.stdout).toMatch(new RegExp(`^${bob}  bob +- +open +\\$0\\.10 +\\$5\\.00`, "m"));
    expect((await room.json(["sessions", "--limit", "1"])).sessions).toHaveLength(1);

    const check = await room.run(["check", "--session", ada]);
    expect(check.code).toBe(0);
    expect(check.stdout).toMatch(
      /^ALLOW: Within budget: \$0\.20 of \$0\.50 left \((session|task fix, in all)\)\.\n\nscope +window/,
    );
    expect(check.stdout).toMatch(/^team research +day +cost_usd +\$2\.00 +\$0\.40 +\$0\.00 +\$1\.60 {2}██········$/m);
  });

  test("check with an estimate tells whether it fits, and exits 3 when it does not", async () => {
    const { room, ada } = await usedRoom();
    const fits = await room.run(["check", "--session", ada, "--cost-usd", "0.1"]);
    expect([fits.code, fits.stdout.slice(0, 6)]).toEqual([0, "WARN: "]);
    const no = await room.run(["check", "--session", ada, "--cost-usd=0.21"]);
    expect(no.code).toBe(3);
    expect(no.stdout).toMatch(/^DENY: Denied: \$0\.21 asked, \$0\.20 of \$0\.50 left/);
    expect(no.stderr).toBe("");
    const tokens = ["--input-tokens", "1000000", "--model", "claude-sonnet-4-20250514"];
    expect((await room.run(["check", "--agent", "bob", ...tokens, "--json"])).code).toBe(3);
    expect((await room.run(["check", "--agent", "bob", "--output-tokens", "10", "--tool-calls", "1"])).code).toBe(0);
  });

  test("an empty ledger is shown as empty, not as a fault", async () => {
    const room = newRoom();
    expect((await room.run(["costs"])).stdout).toMatch(/^\$0\.00 from .*No sessions\.\n$/s);
    expect((await room.run(["sessions"])).stdout).toMatch(/^No sessions yet: agents open them with open_session\.\n$/);
    expect((await room.run(["stops"])).stdout).toBe("No stop is in force.\n");
    expect((await room.run(["task", "list"])).stdout).toMatch(/^No tasks: add one with /);
  });
});

describe("stop and resume", () => {
  test("a running server answers deny with the operator's reason at once, for each kind of target", async () => {
    const { room, agent, ada, bob } = await usedRoom();
    for (const target of [
      ["--session", ada],
      ["--agent", "ada"],
      ["--task", "fix"],
      ["--team", "research"],
      ["--all"],
    ]) {
      const stop = await room.run(["stop", ...target, "--reason", "Looking into the bill"]);
      expect(stop).toMatchObject({ code: 0, stderr: "" });
      expect(stop.stdout).toMatch(/^Stopped: .* open sessions\)\. Lift it with: astra-budget resume --/);
      expect(await decided(agent, ada)).toEqual([
        "deny",
        "Stopped by the operator: Looking into the bill. Stop now and do not retry.",
      ]);
      const coversBob = ["--team", "--all"].includes(target[0] ?? "");
      expect((await decided(agent, bob))[0], target.join(" ")).toBe(coversBob ? "deny" : "allow");
      const resume = stop.stdout.split("astra-budget ")[1]?.trim().split(" ") ?? [];
      expect(await room.run(resume)).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Resumed: /) });
      expect((await decided(agent, ada))[0]).toBe("allow");
    }
  });

  test("a report on a stopped session is recorded and told to stop, and nothing new opens", async () => {
    const { room, agent, ada } = await usedRoom();
    await room.json(["stop", "--agent", "ada", "--reason", "Why so many?"]);
    const report = await agent.call("report_usage", {
      session_id: ada,
      input_tokens: 1,
      output_tokens: 1,
      cost_usd: 0.01,
    });
    expect(report.data).toMatchObject({ recorded: true, verdict: { decision: "deny", binding: { kind: "stop" } } });
    const open = await agent.call("open_session", { agent_id: "ada" });
    expect(open.data).toMatchObject({ session_id: null, status: "refused" });
    expect(open.text).toMatch(/^deny: Stopped by the operator: Why so many\? Stop now/);
    const stops = await room.run(["stops"]);
    expect(stops.stdout).toMatch(/^agent +ada +Why so many\? +\d{4}-/m);
    expect((await room.run(["check", "--agent", "ada"])).code).toBe(3);
  });

  test("lifting a stop that is not there exits 4 and says where to look", async () => {
    const { code, stderr } = await newRoom(POLICY).run(["resume", "--agent", "ada"]);
    expect(code).toBe(4);
    expect(stderr).toBe(
      "not_found: No stop is in force on that agent.\n`astra-budget stops` shows the stops in force.\n",
    );
  });
});

describe("ending", () => {
  test("ends a session and those below it, releases their holds, and says so", async () => {
    const { room, agent, ada } = await usedRoom();
    await agent.call("open_session", { agent_id: "bob", parent_session_id: ada });
    await agent.call("check_budget", { session_id: ada, estimate: { cost_usd: 0.1 }, hold: true });
    const end = await room.run(["end", "--session", ada, "--error", "Took too long"]);
    expect(end.stdout).toBe(`Ended ${ada} and 1 session below it; 1 hold released; $0.30 spent in all.\n`);
    const again = await room.run(["end", "--session", ada]);
    expect([again.code, again.stdout]).toEqual([0, `Session ${ada} had ended already (cancelled).\n`]);
    expect(await decided(agent, ada)).toEqual(["deny", "This session has ended. Stop, or open a new session."]);
    const { sessions } = await room.json(["sessions"]);
    expect(sessions).toContainEqual(
      expect.objectContaining({ session_id: ada, status: "cancelled", error: "Took too long" }),
    );
    expect((await room.json(["sessions", "--open"])).sessions).toHaveLength(1);
  });

  test("an unknown session exits 4 and says where to look", async () => {
    const { code, stderr } = await newRoom().run(["end", "--session", "ses_none"]);
    expect([code, stderr.split("\n").slice(-3)]).toEqual([
      4,
      ["session_not_found: There is no such session.", "`astra-budget sessions` lists the sessions.", ""],
    ]);
  });
});

describe("tasks", () => {
  test("are added, listed, capped, and done, and what waits for them may then open", async () => {
    const room = newRoom(POLICY);
    const agent = await modern(room);
    const add = ["task", "add", "595", "--title", "Fix the login", "--team", "research", "--tag", "bug,budget:0.25"];
    expect((await room.run([...add, "--priority", "high", "--depends-on", "fix"])).stdout).toBe(
      "Task 595 (Fix the login): open, limit $0.25, $0.00 spent.\n",
    );
    const again = await room.run(add);
    expect([again.code, again.stderr]).toEqual([
      2,
      expect.stringMatching(/^conflict: There is a task of this task_id already\.$/m),
    ]);

    const early = await agent.call("open_session", { agent_id: "ada", task_id: 595 });
    expect(early.text).toMatch(/^deny: Task 595 waits for task fix, which is not done\./);
    expect((await room.run(["task", "done", "fix"])).stdout).toBe(
      "Task fix (Fix the typo): done, limit $0.50, $0.00 spent.\n",
    );
    const session_id = await opened(agent, { agent_id: "ada", task_id: 595 });
    await agent.call("report_usage", { session_id, input_tokens: 1, output_tokens: 1, cost_usd: 0.25 });
    expect((await decided(agent, session_id))[1]).toMatch(/^Over budget: \$0\.25 of \$0\.25 used \(task 595, in all\)/);

    const list = await room.run(["task", "list"]);
    expect(list.stdout).toMatch(/^595 +Fix the login +open +\$0\.25 +\$0\.25 +research +fix$/m);
    expect(list.stdout).toMatch(/^fix +Fix the typo +done +\$0\.50 +\$0\.00 +research +-$/m);
    expect((await room.json(["task", "list"])).tasks).toHaveLength(3);
    expect(await room.json(["task", "done", "595", "--status", "open"])).toMatchObject({
      status: "open",
      spent_usd: 0.25,
    });
    expect((await room.run(["task", "done", "596"])).code).toBe(4);
  });
});

describe("the ledger", () => {
  test("verify exits 0 on a clean ledger and 1 after a row was changed behind our back, and says which", async () => {
    const { room, ada } = await usedRoom();
    const clean = await room.run(["ledger", "verify"]);
    expect([clean.code, clean.stdout]).toEqual([
      0,
      expect.stringMatching(/^The ledger is consistent: 2 charges, 0 open holds, \d+ balances\.\n$/),
    ]);
    const db = new Database(room.ledger);
    db.prepare("update balances set cost_spent = cost_spent - 1 where scope = 'session' and scope_id = ?").run(ada);
    db.prepare("insert into cost_sums values (1, 0, 1, 202611, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0)").run();
    db.close();
    const changed = await room.run(["ledger", "verify"]);
    expect([changed.code, changed.stderr]).toEqual([1, ""]);
    expect(changed.stdout).toMatch(/^2 differences in 2 charges/);
    expect(changed.stdout).toMatch(
      new RegExp(`^balance +acme: session ${ada} session +spent 299999999 nano.*spent 300000000 nano`, "m"),
    );
    expect(changed.stdout).toMatch(/^sum +book_no 1 of_agent \(none\) dimension 1 period 202611 key \(none\)/m);
    const json = await room.run(["ledger", "verify", "--json"]);
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, differences: [{ what: "balance" }, { what: "sum" }] });
  });

  test("backup copies a live ledger to a new file for its owner only, and never over an old one", async () => {
    const { room, agent } = await usedRoom();
    const copy = join(room.folder, "copy.db");
    expect((await room.run(["ledger", "backup", copy])).stdout).toBe(`Backed up to ${copy}.\n`);
    expect(statSync(copy).mode & 0o777).toBe(0o600);
    await opened(agent, { agent_id: "bob" });
    expect(await room.json(["costs", "--ledger", copy])).toMatchObject({ total_cost_usd: 0.4, charges: 2 });
    expect((await room.json(["sessions", "--ledger", copy])).sessions).toHaveLength(2);
    const again = await room.run(["ledger", "backup", copy]);
    expect([again.code, again.stderr]).toEqual([
      2,
      "invalid_input: The file is there already.\nName a file that does not exist yet.\n",
    ]);
    const nowhere = await room.run(["ledger", "backup", join(room.folder, "no", "such", "folder.db")]);
    expect(nowhere.code).toBe(5);
  });

  test("a misspelt name is not verified or copied as a new, empty ledger", async () => {
    const room = newRoom();
    for (const args of [["verify"], ["backup", join(room.folder, "copy.db")]]) {
      const { code, stderr } = await room.run(["ledger", ...args, "--ledger", "ledgr.db"]);
      expect(code).toBe(5);
      expect(stderr).toContain(`ledger_unavailable: There is no ledger: ${join(room.folder, "ledgr.db")}\n`);
    }
    expect(existsSync(join(room.folder, "ledgr.db"))).toBe(false);
    expect(existsSync(join(room.folder, "copy.db"))).toBe(false);
  });

  test("a ledger that cannot be used exits 5 and names its file", async () => {
    const room = newRoom(POLICY);
    const file = room.write("notes.db", "no ledger");
    const { code, stdout, stderr } = await room.run(["costs", "--ledger", file]);
    expect([code, stdout]).toEqual([5, ""]);
    expect(stderr).toBe(
      `ledger_foreign: The file is not a ledger: it is no SQLite database. (${file})\nName another file with --ledger.\n`,
    );
  });

  test("a ledger that may not be written exits 5 and says what to look at", async () => {
    const room = newRoom(POLICY);
    const file = room.write("mine.db", "");
    chmodSync(file, 0o444);
    mkdirSync(join(room.folder, "data"), { mode: 0o555 });
    chmodSync(room.folder, 0o755);
    // The superuser may write everything: give that up.
    const powerless = { powerless: true } as const;
    for (const ledger of [file, room.ledger]) {
      const { code, stdout, stderr } = await room.run(
        ["stop", "--all", "--reason", "x", "--ledger", ledger],
        powerless,
      );
      expect([code, stdout]).toEqual([5, ""]);
      expect(stderr).toBe(
        `ledger_read_only: The ledger file cannot be written. (${ledger})\nCheck the owner and mode of the file and its folder, or name another file with --ledger.\n`,
      );
    }
  });
});
