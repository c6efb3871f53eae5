// open_session: what is admitted, with which budget, and what is refused with a reason that helps.
import { describe, expect, test } from "vitest";
import { WIDE, worldOf } from "../world.ts";
import { faultText, isClean, limitOf, rowsOf } from "./witness.ts";

describe("an admitted session", () => {
  test("answers its budget, permissions, times and verdict", async () => {
    const policy = {
      teams: [{ id: "research", dailyCostLimitUsd: 10 }],
      roles: [{ id: "researcher", tools: { deny: ["shell_exec"] }, memory: { shared: true, private: false } }],
      agents: [{ id: "ada", role: "Researcher", team: "research", provider: "anthropic", tools: { allow: ["web"] } }],
    };
    const world = await worldOf({ policy });
    const opened = await world.open({ task_id: "594", user_id: "uid_alice", budget: { max_tool_calls: 7 } });
    expect(opened).toMatchObject({
      session_id: "ses_000001",
      status: "open",
      agent_id: "ada",
      role: "researcher",
      team_id: "research",
      task_id: "594",
      parent_session_id: null,
      depth: 0,
      budget: { max_total_tokens: 50_000, max_cost_cents: 50, max_tool_calls: 7, max_duration: 60_000 },
      clamped: [],
      tools: { allow: ["web"], deny: ["shell_exec"] },
      memory: { shared: true, private: false },
      started_at: "2026-11-22T12:00:00.000Z",
      expires_at: "2026-11-22T12:01:00.000Z",
      verdict: { decision: "allow" },
    });
    expect(limitOf(opened, "team cost_usd")).toMatchObject({
      scope_id: "research",
      window: "day",
      limit: 10,
      spent: 0,
    });
  });

  test("has the role that it names only if the policy does not list its agent", async () => {
    const world = await worldOf({ policy: { agents: [{ id: "ada", role: "writer" }] } });
    expect(await world.open({ role: "analyst" })).toMatchObject({ role: "writer", budget: { max_cost_cents: 30 } });
    const other = await world.open({ agent_id: "bob", role: "ANALYST" });
    expect(other).toMatchObject({ role: "analyst", budget: { max_cost_cents: 100, max_tool_calls: 15 } });
  });

  test("is told what was cut of what it asked for, and where the hard cap cut the policy", async () => {
    const world = await worldOf({ policy: { agents: [{ id: "ada", budget: { maxCostCents: 90_000 } }] } });
    const opened = await world.open({ budget: { max_cost_cents: 12.5, max_duration: 1e12, max_tool_calls: 1e12 } });
    expect(opened.budget).toMatchObject({ max_cost_cents: 12.5, max_duration: 300_000, max_tool_calls: 100 });
    expect(opened.clamped).toEqual([
      { field: "max_cost_cents", asked: 90_000, to: 500, by: "hard_cap" },
      { field: "max_tool_calls", asked: 1e12, to: 100, by: "policy" },
      { field: "max_duration", asked: 1e12, to: 300_000, by: "policy" },
    ]);
  });

  test("may lower its tools, never widen them", async () => {
    const world = await worldOf({ policy: { agents: [{ id: "ada", tools: { allow: ["a", "b"], deny: ["c"] } }] } });
    expect((await world.open({ tools: { allow: ["b", "z"], deny: ["b"] } })).tools).toEqual({
      allow: ["b"],
      deny: ["b", "c"],
    });
    expect((await world.open({ tools: { allow: [] } })).tools).toEqual({ allow: [], deny: ["c"] });
    expect((await world.open()).tools).toEqual({ allow: ["a", "b"], deny: ["c"] });
  });

  test("keeps its budget when the policy changes; hard caps and shared limits reach into it at once", async () => {
    const policy = { agents: [{ id: "ada", team: "t", budget: { maxCostCents: 300 } }], teams: [{ id: "t" }] };
    const world = await worldOf({ policy });
    const { session_id } = await world.open();
    await world.report({ session_id, cost_usd: 1 });
    world.setPolicy({ ...policy, agents: [{ id: "ada", team: "t", budget: { maxCostCents: 50 } }] });
    expect(limitOf(await world.check({ session_id }), "session cost_usd")).toMatchObject({ limit: 3 });
    world.setPolicy({ ...policy, hardCaps: { maxCostCents: 200 } });
    expect(limitOf(await world.check({ session_id }), "session cost_usd")).toMatchObject({ limit: 2, remaining: 1 });
    world.setPolicy({ ...policy, teams: [{ id: "t", dailyCostLimitUsd: 1 }] });
    expect((await world.check({ session_id })).verdict).toMatchObject({ decision: "deny", binding: { scope: "team" } });
  });
});

describe("a refused opening", () => {
  test("says why as data, gives no session, and leaves none behind", async () => {
    const world = await worldOf({ policy: { agents: [{ id: "ada", dailyCostLimitUsd: 0 }] } });
    const refused = await world.open({ idempotency_key: "k" });
    expect(refused).toMatchObject({
      session_id: null,
      status: "refused",
      started_at: null,
      expires_at: null,
      verdict: { decision: "deny", binding: { kind: "limit", scope: "agent", scope_id: "ada", window: "day" } },
    });
    expect((await rowsOf(world.ledger)).sessions).toEqual([]);
    world.setPolicy({});
    expect((await world.open({ idempotency_key: "k" })).status).toBe("open");
    expect(await isClean(world)).toBe(true);
  });

  test("comes from an agent the policy does not list, if it admits none; its later calls are denied too", async () => {
    const world = await worldOf({ policy: {} });
    const { session_id } = await world.open({ agent_id: "stranger" });
    world.setPolicy({ unknownAgents: "deny", agents: [{ id: "ada" }] });
    const refused = await world.open({ agent_id: "stranger" });
    expect(refused).toMatchObject({ session_id: null, verdict: { binding: { kind: "unknown_agent" } } });
    expect(refused.verdict.message).toBe(
      "Agent stranger is not in the policy, and the policy admits no unknown agents. Stop and ask a human to add it to astra.yml.",
    );
    expect((await world.check({ session_id })).verdict.decision).toBe("deny");
    expect(await world.report({ session_id, cost_usd: 1 })).toMatchObject({
      recorded: true,
      verdict: { decision: "deny" },
    });
    expect((await world.open()).status).toBe("open");
  });

  test("comes from a model without a price, if the policy denies such", async () => {
    const world = await worldOf({ policy: { unknownModel: "deny" } });
    expect(await world.open({ model: "mystery-9" })).toMatchObject({
      session_id: null,
      verdict: {
        binding: { kind: "unknown_model" },
        message:
          "No price is known for model mystery-9, and the policy denies unknown models. Stop and ask a human to add it under prices in astra.yml.",
      },
    });
    expect((await world.open({ model: "known-1" })).status).toBe("open");
    expect((await world.open()).status).toBe("open");
  });
});

describe("tasks that depend on others", () => {
  const policy = {
    tasks: [
      { id: "b", depends_on: ["a"] },
      { id: "a", title: "First" },
    ],
  };

  test("open only when those are done or cancelled, and the refusal names the one waited for", async () => {
    for (const status of ["done", "cancelled"]) {
      const world = await worldOf({ policy });
      const refused = await world.open({ task_id: "b" });
      expect(refused).toMatchObject({ session_id: null, verdict: { binding: { kind: "dependency", scope_id: "b" } } });
      expect(refused.verdict.message).toBe(
        "Task b waits for task a, which is not done. Work on that first, or come back later.",
      );
      expect((await world.open({ task_id: "a" })).status).toBe("open");
      await world.call("update_task", { task_id: "a", status });
      expect((await world.open({ task_id: "b" })).status).toBe("open");
      await world.call("update_task", { task_id: "a", status: "open" });
      expect((await world.open({ task_id: "b" })).status).toBe("refused");
    }
  });

  test("may be added at run time, with a cap of their own, but never in a circle", async () => {
    const world = await worldOf({ policy: { ...policy, hardCaps: WIDE } });
    const added = await world.call("add_task", { task_id: 7, title: "Later", tags: ["budget:$1"], depends_on: ["b"] });
    expect(added).toMatchObject({ task_id: "7", status: "open", cost_limit_usd: 1, spent_usd: 0 });
    expect((await world.open({ task_id: 7 })).verdict.binding).toMatchObject({ kind: "dependency" });
    await world.call("update_task", { task_id: "b", status: "done" });
    const { session_id } = await world.open({ task_id: 7 });
    expect(await world.report({ session_id, cost_usd: 1 })).toMatchObject({ verdict: { binding: { scope: "task" } } });
    expect(await faultText(world.call("add_task", { task_id: "x", title: "X", depends_on: ["x"] }))).toBe(
      "invalid_input: depends_on expected known tasks; x is not one",
    );
    expect(await faultText(world.call("add_task", { task_id: "a", title: "Again" }))).toBe("conflict:");
    expect(await faultText(world.call("update_task", { task_id: "nobody" }))).toBe("task_not_found:");
    const { tasks } = await world.call("list_tasks");
    expect(tasks).toMatchObject([
      { task_id: "b", status: "done" },
      { task_id: "a", status: "open", title: "First" },
      { task_id: "7", spent_usd: 1, depends_on: ["b"] },
    ]);
  });

  test("a task's own budget tag counts before its team's limit per task, and that before the agent's team's", async () => {
    const world = await worldOf({
      policy: {
        hardCaps: WIDE,
        teams: [
          { id: "own", taskCostLimitUsd: 3 },
          { id: "agents", taskCostLimitUsd: 5 },
        ],
        agents: [{ id: "ada", team: "agents" }],
        tasks: [
          { id: "tagged", team: "own", tags: ["budget:7", "budget:6"] },
          { id: "plain", team: "own" },
        ],
      },
    });
    const capOf = async (task_id: string) => limitOf(await world.open({ task_id }), "task cost_usd").limit;
    expect([await capOf("tagged"), await capOf("plain"), await capOf("anything")]).toEqual([6, 3, 5]);
  });
});
