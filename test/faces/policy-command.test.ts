// `policy check` and `policy show`: every fault with its place, and where each field of a budget came from.
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { newRoom } from "./room.ts";

describe("policy check", () => {
  test("a valid file exits 0 and is counted, with its notes", async () => {
    const room = newRoom("hardCaps: { maxCostCents: 5000 }\nagents: [{ id: ada }]\nteams: [{ id: t }]\n");
    const { code, stdout } = await room.run(["policy", "check", "astra.yml"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^astra\.yml is valid: 1 agent, 1 team, 0 tasks, 4 roles\.\nnote: WARNING: hardCaps raised above the built-in ones: maxCostCents/,
    );
    expect(await room.json(["policy", "check", "astra.yml"])).toMatchObject({
      ok: true,
      agents: 1,
      roles: 4,
      notes: [expect.any(String)],
    });
  });

  test("all faults are named at once, each with line, column and what is expected, and it exits 2", async () => {
    const room = newRoom();
    room.write(
      "bad.yml",
      [
        "workspace:",
        "  timezone: Mars/Olympus",
        "agents:",
        "  - id: ada",
        "    team: nowhere",
        "    budget:",
        "      maxCostCent: 50",
        "      maxToolCalls: -1",
        "      maxTotalTokens: .nan",
        "  - id: ada",
        "tasks:",
        "  - { id: a, title: A, depends_on: [b] }",
        "  - { id: b, title: B, depends_on: [a] }",
        "warnAt: 80",
      ].join("\n"),
    );
    const { code, stdout, stderr } = await room.run(["policy", "check", "bad.yml"]);
    expect([code, stdout]).toEqual([2, ""]);
    const lines = stderr
      .replace(/^policy_invalid: /, "")
      .trimEnd()
      .split("\n");
    expect(lines.pop()).toMatch(/^Correct the file; `astra-budget policy check bad\.yml`/);
    expect(lines.map((line) => /^bad\.yml:(\d+):\d+ \S+: .*expected/.exec(line)?.[1] ?? line)).toEqual(
      [2, 5, 7, 8, 9, 10, 13, 14].map(String),
    );
    expect(lines[2]).toMatch(/^bad\.yml:7:7 agents\[0\]\.budget\.maxCostCent: .*maxCostCents/);
    expect(lines[5]).toMatch(/^bad\.yml:10:9 agents\[1\]\.id: /);
    const json = await room.run(["policy", "check", "bad.yml", "--json"]);
    expect(json.code).toBe(2);
    expect(JSON.parse(json.stderr).error.faults[2]).toMatchObject({
      line: 7,
      column: 7,
      path: "agents[0].budget.maxCostCent",
    });
  });

  test("what is no file, no text or no YAML is told in one line, with exit 2", async () => {
    const room = newRoom();
    mkdirSync(join(room.folder, "folder.yml"));
    room.write("tab.yml", "agents:\n\t- id: a\n");
    for (const [file, says] of [
      ["missing.yml", /missing\.yml: the file does not exist/],
      ["folder.yml", /folder\.yml: the file is not a plain file/],
      ["/dev/zero", /\/dev\/zero: the file is not a plain file/],
      ["tab.yml", /tab\.yml:2:1 /],
    ] as const) {
      const { code, stderr } = await room.run(["policy", "check", file]);
      expect([code, stderr]).toEqual([2, expect.stringMatching(says)]);
      expect(stderr).not.toMatch(/\n\s+at /);
    }
  });

  test("it writes nothing and opens no ledger", async () => {
    const room = newRoom("{}");
    chmodSync(room.folder, 0o500);
    expect((await room.run(["policy", "check", "astra.yml"])).code).toBe(0);
    chmodSync(room.folder, 0o700);
  });
});

describe("policy show", () => {
  const POLICY = `
hardCaps: { maxToolCalls: 40 }
roles:
  - { id: reviewer, budget: { maxCostCents: 75, maxToolCalls: 60 }, tools: { deny: [shell] }, memory: { long_term: false } }
agents:
  - { id: ada, role: reviewer, budget: { maxTotalTokens: 1000 }, tools: { allow: [read, shell] } }
`;

  test("prints each field with its source: agent, role, hard cap, clamped", async () => {
    const { code, stdout } = await newRoom(POLICY).run(["policy", "show", "--agent", "ada"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Agent ada, role reviewer\n/);
    expect(stdout).toMatch(/^maxTotalTokens +1000 {2}agent$/m);
    expect(stdout).toMatch(/^maxCostCents +75 \(\$0\.75\) {2}role$/m);
    expect(stdout).toMatch(/^maxToolCalls +40 {2}.*\(clamped from 60\)$/m);
    expect(stdout).toMatch(/^maxDuration +300000 ms {2}hard cap$/m);
    expect(stdout).toMatch(/^tools: read, shell, denied: shell\nmemory: all, denied: long_term$/m);
  });

  test("as JSON in the words of the tools' answers", async () => {
    expect(await newRoom(POLICY).json(["policy", "show", "--agent", "ada"])).toMatchObject({
      agent_id: "ada",
      listed: true,
      role: "reviewer",
      budget: { max_total_tokens: 1000, max_cost_cents: 75, max_tool_calls: 40 },
      sources: { max_total_tokens: "agent", max_cost_cents: "role", max_duration: "hard_cap" },
      clamped: [{ field: "max_tool_calls", asked: 60, to: 40, by: "hard_cap" }],
      tools: { deny: ["shell"] },
      memory: { long_term: false },
    });
  });

  test("an agent that is not listed has its role's budget, or the hard caps", async () => {
    const room = newRoom(POLICY);
    const writer = await room.run(["policy", "show", "--agent", "eve", "--role", "writer"]);
    expect(writer.stdout).toMatch(/^Agent eve \(not listed in the policy\), role writer\n/);
    expect(writer.stdout).toMatch(/^maxTotalTokens +30000 {2}role$/m);
    expect((await room.run(["policy", "show", "--agent", "eve"])).stdout).toMatch(
      /^maxTotalTokens +600000 {2}hard cap$/m,
    );
    expect((await newRoom().run(["policy", "show", "--agent", "eve"])).code).toBe(0);
  });
});
