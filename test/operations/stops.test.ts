// Stops: an operator's order denies every later open, check and report on what it covers, until it is lifted.
import { describe, expect, test } from "vitest";
import { WIDE, type World, worldOf } from "../world.ts";
import { faultText, rowsOf } from "./witness.ts";

const POLICY = { hardCaps: WIDE, teams: [{ id: "t" }], agents: [{ id: "ada", team: "t" }] };
const MESSAGE = "Stopped by the operator: Loops on the same error. Stop now and do not retry.";
const stop = (world: World, target: Record<string, unknown>) =>
  world.call("stop", { ...target, reason: "Loops on the same error" });

async function running() {
  const world = await worldOf({ policy: POLICY });
  const parent = await world.open({ task_id: 594 });
  const child = await world.open({ agent_id: "kid", parent_session_id: parent.session_id });
  const apart = await world.open({ agent_id: "bob", task_id: 7 });
  return { world, parent_id: parent.session_id, child_id: child.session_id, apart_id: apart.session_id };
}

describe("a stop", () => {
  test.each([
    ["the session", (ids: Record<string, string>) => ({ session_id: ids.parent_id })],
    ["its agent", () => ({ agent_id: "ada" })],
    ["its task", () => ({ task_id: 594 })],
    ["its team", () => ({ team_id: "t" })],
    ["everything", () => ({ all: true })],
  ])(
    "on %s denies check and report at once with the operator's reason, and records the report",
    async (_what, target) => {
      const { world, ...ids } = await running();
      await stop(world, target(ids));
      const denied = { decision: "deny", message: MESSAGE, binding: { kind: "stop" } };
      expect((await world.check({ session_id: ids.parent_id })).verdict).toMatchObject(denied);
      const report = await world.report({ session_id: ids.parent_id, cost_usd: 1 });
      expect(report).toMatchObject({ recorded: true, over_budget: false, verdict: denied });
      const held = await world.check({ session_id: ids.parent_id, hold: true, estimate: { cost_usd: 1 } });
      expect(held).toMatchObject({ hold_id: null, verdict: denied });
      expect((await rowsOf(world.ledger)).holds).toEqual([]);
    },
  );

  test("denies every opening that it covers, and no other", async () => {
    const { world } = await running();
    const decision = async (args: Record<string, unknown>) => (await world.open(args)).verdict.decision;
    await stop(world, { agent_id: "ada" });
    await stop(world, { task_id: 595 });
    expect(await decision({})).toBe("deny");
    expect(await decision({ agent_id: "bob", task_id: 595 })).toBe("deny");
    expect(await decision({ agent_id: "bob" })).toBe("allow");
    await world.call("resume", { agent_id: "ada" });
    expect(await decision({})).toBe("allow");
    await stop(world, { team_id: "t" });
    expect([await decision({}), await decision({ agent_id: "bob" })]).toEqual(["deny", "allow"]);
    await stop(world, { all: true });
    expect(await decision({ agent_id: "bob" })).toBe("deny");
  });

  test("on a session reaches all below it, who learn whose it was and not which", async () => {
    const { world, parent_id, child_id, apart_id } = await running();
    await stop(world, { session_id: parent_id });
    const { verdict } = await world.check({ session_id: child_id });
    expect(verdict).toMatchObject({
      decision: "deny",
      message: MESSAGE,
      binding: { kind: "stop", scope: "ancestor", scope_id: "ada" },
    });
    expect(JSON.stringify(verdict)).not.toContain(parent_id);
    const spawned = await world.open({ agent_id: "kid", parent_session_id: child_id });
    expect(spawned).toMatchObject({ session_id: null, verdict: { binding: { kind: "stop" } } });
    expect((await world.check({ session_id: apart_id })).verdict.decision).toBe("allow");
  });

  test("on a child leaves its parent alone", async () => {
    const { world, parent_id, child_id } = await running();
    await stop(world, { session_id: child_id });
    expect((await world.check({ session_id: child_id })).verdict.binding).toMatchObject({
      scope: "session",
      scope_id: child_id,
    });
    expect((await world.check({ session_id: parent_id })).verdict.decision).toBe("allow");
  });

  test("on a task or a team reaches the children that inherited them", async () => {
    for (const target of [{ task_id: 594 }, { team_id: "t" }]) {
      const { world, child_id } = await running();
      await stop(world, target);
      expect((await world.check({ session_id: child_id })).verdict.decision).toBe("deny");
    }
  });

  test("is in force until it is lifted, and lifting takes all on exactly that", async () => {
    const { world, parent_id } = await running();
    await stop(world, { agent_id: "ada" });
    await stop(world, { agent_id: "ada" });
    await stop(world, { all: true });
    world.pass(30 * 86_400_000);
    expect((await world.call("list_stops")).stops).toMatchObject([
      { scope: "workspace", scope_id: "default" },
      { scope: "agent" },
      { scope: "agent", scope_id: "ada", reason: "Loops on the same error.", created_at: "2026-11-22T12:00:00.000Z" },
    ]);
    expect(await world.call("resume", { agent_id: "ada" })).toEqual({ scope: "agent", scope_id: "ada", lifted: 2 });
    expect((await world.check({ agent_id: "ada" })).verdict.decision).toBe("deny");
    await world.call("resume", { all: true });
    expect((await world.check({ agent_id: "ada" })).verdict.decision).toBe("allow");
    expect((await world.check({ session_id: parent_id })).verdict.binding).toMatchObject({ measure: "duration_ms" });
    expect(await faultText(world.call("resume", { all: true }))).toBe("not_found:");
  });

  test("names exactly one thing that can be stopped, and a reason", async () => {
    const { world, parent_id } = await running();
    const one = "invalid_input: expected exactly one of session_id, agent_id, task_id, team_id, all";
    expect(await faultText(stop(world, {}))).toBe(one);
    expect(await faultText(stop(world, { agent_id: "ada", all: true }))).toBe(one);
    expect(await faultText(world.call("resume", {}))).toBe(one);
    expect(await faultText(stop(world, { session_id: "session_999999" }))).toBe("session_not_found:");
    for (const reason of ["", "  ", "x".repeat(301), "a\u202Eb", "a\u0000b", "a\uD800"]) {
      expect(await faultText(world.call("stop", { session_id: parent_id, reason }))).toContain(
        "invalid_input: reason expected",
      );
    }
    expect(await faultText(world.call("stop", { session_id: parent_id }))).toContain("invalid_input: reason");
    expect((await rowsOf(world.ledger)).stops).toEqual([]);
  });
});

test("a stop says how many open sessions it halts, so that a misspelt id is seen", async () => {
  const { world, ...ids } = await running();
  const count = async (target: Record<string, unknown>) => (await stop(world, target)).open_sessions;
  expect(await count({ session_id: ids.parent_id })).toBe(2); // the parent and its child
  expect(await count({ agent_id: "ada" })).toBe(2);
  expect(await count({ agent_id: "kid" })).toBe(1);
  expect(await count({ team_id: "t" })).toBe(2); // the child counts for its parent's team
  expect(await count({ task_id: 594 })).toBe(2);
  expect(await count({ all: true })).toBe(3);
  expect(await count({ agent_id: "adda" })).toBe(0);
});

test("a stop on an agent reaches the sub-agents it spawned under other names, without naming its session", async () => {
  const { world, ...ids } = await running();
  await stop(world, { agent_id: "ada" });
  const { verdict } = await world.check({ session_id: ids.child_id });
  expect(verdict).toMatchObject({ decision: "deny", binding: { kind: "stop", scope: "ancestor", scope_id: "ada" } });
  expect(JSON.stringify(verdict)).not.toContain(ids.parent_id);
  expect((await world.check({ session_id: ids.apart_id })).verdict.decision).toBe("allow");
});

test("a session that never ended but can spend no more is not counted among those", async () => {
  const world = await worldOf({ policy: { hardCaps: { ...WIDE, maxDuration: 60_000 } } });
  await world.open();
  world.pass(61_000);
  await world.open();
  expect((await stop(world, { agent_id: "ada" })).open_sessions).toBe(1);
});
