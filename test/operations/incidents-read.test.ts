// Incidents as they are read: by operators all of them, by an agent its own without what they say of others.
import { expect, test } from "vitest";
import type { Principal } from "../../src/operations/operation.ts";
import { OPERATOR, WIDE, type World, worldOf } from "../world.ts";
import { faultText } from "./witness.ts";

type Line = Record<string, unknown>;

const ADA: Principal = { kind: "agent", agentId: "ada" };
const EVE: Principal = { kind: "agent", agentId: "eve" };

/** Ada's bug fix costs six dollars; eve opens on a task that ada is at. */
async function raised() {
  const world = await worldOf({
    policy: { hardCaps: WIDE, agents: [{ id: "ada" }, { id: "eve" }], tasks: [{ id: "fix", task_type: "bugfix" }] },
  });
  const first = await world.open({ task_id: "594" });
  await world.open({ agent_id: "eve", task_id: "594" });
  const { session_id } = await world.open({ task_id: "fix" });
  await world.report({ session_id, cost_usd: 6 });
  return { world, first: first.session_id };
}

const listed = async (world: World, args: object = {}, principal: Principal = OPERATOR): Promise<Line[]> =>
  (await world.call("list_incidents", { ...args }, principal)).incidents as Line[];

test("operators read them with filters and by the page", async () => {
  const { world } = await raised();
  expect((await listed(world)).map(({ kind }) => kind)).toEqual(["task_red_flag", "duplicate_work"]);
  expect(await listed(world, { kind: "duplicate_work" })).toHaveLength(1);
  expect(await listed(world, { scope: "task", scope_id: "fix" })).toHaveLength(1);
  expect(await listed(world, { agent_id: "eve" })).toMatchObject([{ kind: "duplicate_work" }]);
  const page = await world.call("list_incidents", { limit: 1 }, OPERATOR);
  const rest = await world.call("list_incidents", { limit: 1, cursor: page.next_cursor }, OPERATOR);
  expect([page.next_cursor === null, rest.next_cursor]).toEqual([false, null]);
  expect(rest.incidents).toMatchObject([{ kind: "duplicate_work" }]);
  expect(await faultText(world.call("list_incidents", { cursor: "a'b" }, OPERATOR))).toContain("invalid_input: cursor");
  expect(await faultText(world.call("list_incidents", { kind: "x" }, OPERATOR))).toContain("one of task_red_flag");
});

test("an agent with a key reads its own, without what they say of others; one without is nobody's", async () => {
  const { world, first } = await raised();
  const [redFlag, ...more] = await listed(world, {}, ADA);
  expect([redFlag?.kind, more]).toEqual(["task_red_flag", []]);
  const own = await listed(world, {}, EVE);
  expect(own).toMatchObject([{ kind: "duplicate_work" }]);
  for (const word of [first, "ada"]) expect(JSON.stringify(own)).not.toContain(word);
  const incident_id = String(redFlag?.incident_id);
  expect(await world.call("get_incident", { incident_id }, ADA)).toMatchObject({ kind: "task_red_flag" });
  expect(await faultText(world.call("get_incident", { incident_id }, EVE))).toBe("not_found:");
  expect(await faultText(world.call("list_incidents", { agent_id: "ada" }, EVE))).toBe("not_found:");
  expect(await faultText(world.call("acknowledge_incident", { incident_id }, ADA))).toBe("forbidden:");
  const nobody: Principal = { kind: "agent", agentId: null };
  expect(await faultText(world.call("list_incidents", { agent_id: "ada" }, nobody))).toBe("forbidden:");
  expect(await faultText(world.call("get_incident", { incident_id }, nobody))).toBe("forbidden:");
});

test("one is acknowledged once, on the audit, with a note that agents never see", async () => {
  const { world } = await raised();
  const [redFlag] = await listed(world);
  const incident_id = String(redFlag?.incident_id);
  const ack = (note: string) => world.call("acknowledge_incident", { incident_id, note }, OPERATOR);
  const seen = { state: "acknowledged", acknowledged_by: "test", note: "Looked into it." };
  expect(await ack("Looked into it.")).toMatchObject(seen);
  expect(await ack("Another.")).toMatchObject(seen);
  expect((await world.call("list_audit")).entries).toMatchObject([
    { action: "acknowledge_incident", target: `incident ${incident_id}`, actor: "test", why: "Looked into it." },
  ]);
  expect(await listed(world, { state: "open" })).toHaveLength(1);
  const shown = await world.call("get_incident", { incident_id }, ADA);
  expect(shown.state).toBe("acknowledged");
  expect(JSON.stringify(shown)).not.toMatch(/Looked|acknowledged_by/);
  const absent = world.call("acknowledge_incident", { incident_id: "inc_none" }, OPERATOR);
  expect(await faultText(absent)).toBe("not_found:");
});
