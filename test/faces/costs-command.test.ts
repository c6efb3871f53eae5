// `astra-budget costs` in a terminal: where spending is going, what is in doubt, whose sessions are whose, and a flat table.
import { describe, expect, test } from "vitest";
import { costsCsv, costsText } from "../../src/faces/terminal-costs.ts";
import { modern } from "./clients.ts";
import { newRoom } from "./room.ts";

const ANSWER = {
  workspace_id: "acme",
  start_date: "2026-11-01",
  end_date: "2026-11-30",
  total_cost_usd: 3.5,
  metered_cost_usd: 3.08,
  self_reported_cost_usd: 0.42,
  total_input_tokens: 1000,
  total_output_tokens: 200,
  charges: 9,
  unpriced_charges: 2,
  approximate_charges: 1,
  late_charges: 1,
  unpriced_models: ["acme/new-1", "(none)"],
  approximate_models: ["old\u001b[2J"],
  late_agents: ["-ada", "bob\u202e"],
  by_agent: { "-ada": 3.499999999, bob: 0.000000001 },
  by_month: [{ month: "2026-11", cost_usd: 3.5 }],
  forecast: {
    day: { spent_usd: 1, projected_usd: 2.0051, ends_at: "2026-11-23T00:00:00.000Z" },
    month: { spent_usd: 3.5, projected_usd: null, ends_at: "2026-12-01T00:00:00.000Z" },
    caps: [
      {
        scope: "workspace",
        scope_id: "acme",
        window: "day",
        limit_usd: 1.5,
        spent_usd: 1,
        reached_at: "2026-11-22T18:00:00.000Z",
      },
      {
        scope: "team",
        scope_id: "blue",
        window: "day",
        limit_usd: 1,
        spent_usd: 1,
        reached_at: "2026-11-22T12:00:00.000Z",
      },
      { scope: "workspace", scope_id: "acme", window: "month", limit_usd: 90, spent_usd: 3.5, reached_at: null },
    ],
  },
  tree: [
    { session_id: "ses_1", agent_name: "-ada", depth: 0, status: "open", cost_usd: 1, tree_cost_usd: 3.5 },
    { session_id: "ses_2", agent_name: "bob", depth: 1, status: "success", cost_usd: 2.5, tree_cost_usd: 2.5 },
  ],
  sessions: [],
  sessions_left_out: 1,
};

describe("as text", () => {
  const text = costsText(ANSWER);

  test("says what is in doubt, how much of it, and what to do", () => {
    expect(text).toContain(
      "Self-reported only: $0.42 (12 %).\n" +
        "Without a price: 2 charges (acme/new-1, (none)). Add their models under prices in astra.yml.\n" +
        "Priced approximately: 1 charge (old?[2J). Their own prices can be set under prices in astra.yml.\n" +
        "Reported late, after their session had ended: 1 charge (-ada, bob?).\n",
    );
    const sure = { ...ANSWER, unpriced_charges: 0, approximate_charges: 0, late_charges: 0 };
    expect(costsText(sure)).not.toMatch(/Without a price|approximately|late/);
  });

  test("says how much nobody but the agents says, where a meter said the rest", () => {
    const shareOf = (metered_cost_usd: number, self_reported_cost_usd: number) =>
      /Self-reported only: .*/.exec(costsText({ ...ANSWER, metered_cost_usd, self_reported_cost_usd }))?.[0] ?? null;
    expect(shareOf(8.8, 1.2)).toBe("Self-reported only: $1.20 (12 %).");
    expect(shareOf(1_000, 0.01)).toBe("Self-reported only: $0.01 (1 %).");
    expect(shareOf(0.01, 1_000)).toBe("Self-reported only: $1000.00 (99 %).");
    expect(shareOf(0, 3.5)).toBeNull();
    expect(shareOf(3.5, 0)).toBeNull();
  });

  test("says where the day and the month end at this pace, and which cap is met when", () => {
    expect(text).toContain(
      "Today: $1.00 so far, about $2.01 by its end at this pace.\n" +
        "This month: $3.50 so far, too early to say what by its end.\n",
    );
    expect(text).toMatch(/^workspace acme, day +\$1\.00 +\$1\.50 {2}███████··· {2}2026-11-22T18:00:00\.000Z$/m);
    expect(text).toMatch(/^team blue, day +\$1\.00 +\$1\.00 {2}██████████ {2}used up$/m);
    expect(text).toMatch(/^workspace acme, month +\$3\.50 +\$90\.00 {2}·········· {2}not at this pace$/m);
    expect(costsText({ ...ANSWER, forecast: null })).not.toContain("so far");
  });

  test("shows the sessions below a session further in, with their own cost and with all below", () => {
    expect(text).toMatch(/^agent +session +status +own +with all below$/m);
    expect(text).toMatch(/^-ada +ses_1 +open +\$1\.00 +\$3\.50$/m);
    expect(text).toMatch(/^ {2}bob +ses_2 +success +\$2\.50 +\$2\.50$/m);
    expect(text).toMatch(/Left out: 1 older session \(--limit\)\.$/);
  });
});

test("as CSV it is one flat table, exact and without formulas", () => {
  expect(costsCsv(ANSWER)).toBe(
    "dimension,key,cost_usd\r\nagent,'-ada,3.499999999\r\nagent,bob,0.000000001\r\nmonth,2026-11,3.5\r\n",
  );
  expect(costsCsv({ ...ANSWER, by_agent: { ada: -0.25 } })).toContain("agent,ada,-0.25\r\n");
});

test("the command shows all of it, for every filter there is", async () => {
  const room = newRoom(
    "workspace: { id: acme, dailyCostLimitUsd: 2 }\nagents: [{ id: ada, budget: { maxSpawnDepth: 2 } }]",
  );
  const agent = await modern(room);
  const open = async (args: object) => (await agent.call("open_session", { ...args })).data.session_id as string;
  const ada = await open({ agent_id: "ada", model: "claude-sonnet-4-20250514" });
  const bob = await open({ agent_id: "bob", parent_session_id: ada });
  await agent.call("report_usage", { session_id: ada, input_tokens: 1, output_tokens: 0, cost_usd: 0.5, tool: "web" });
  await agent.call("report_usage", { session_id: bob, input_tokens: 1, output_tokens: 0, model: "nobody-knows-1" });
  await agent.call("end_session", { session_id: ada });
  await agent.call("report_usage", { session_id: ada, input_tokens: 1, output_tokens: 0, cost_usd: 0.25 });

  const { stdout } = await room.run(["costs", "--session", ada]);
  expect(stdout).toMatch(new RegExp(`^ada +${ada} +success +\\$0\\.75 +\\$0\\.75`, "m"));
  expect(stdout).toMatch(new RegExp(`^ {2}bob +${bob} +`, "m"));
  expect(stdout).toContain("Reported late, after their session had ended: 1 charge (ada).");
  const all = await room.run(["costs"]);
  expect(all.stdout).toMatch(/^Today: \$0\.75\d* so far, /m);
  expect(all.stdout).toMatch(/^workspace acme, day +\$0\.75\d* +\$2\.00 {2}████······ {2}/m);
  expect(all.stdout).toMatch(/^Priced approximately: 1 charge \(nobody-knows-1\)\./m);

  const total = async (...args: string[]) => (await room.json(["costs", ...args])).total_cost_usd;
  expect(await total("--model", "claude-sonnet-4-20250514")).toBe(0.75);
  expect(await total("--tool", "web")).toBe(0.5);
  expect(await total("--tool", "web", "--model", "nobody-knows-1")).toBe(0);
  expect(await total("--role", "writer")).toBe(0);
  const csv = await room.run(["costs", "--csv", "--by", "model", "--agent", "ada"]);
  expect(csv).toMatchObject({ code: 0, stderr: "" });
  expect(csv.stdout).toMatch(/^dimension,key,cost_usd\r\nagent,ada,0\.75\r\n/);
  expect(csv.stdout).toMatch(/model,claude-sonnet-4-20250514,0\.75\r\n$/);
  const both = await room.run(["costs", "--csv", "--json"]);
  expect([both.code, both.stderr]).toEqual([2, expect.stringContaining("expected --csv or --json, not both")]);
});
