// Tasks and stops over REST: what can be changed of a task, which orders may wait for which, and the kill switch.
import { describe, expect, test } from "vitest";
import { WIDE } from "../world.ts";
import { newServerRoom, type Reply, type ServerRoom } from "./server-room.ts";

const POLICY = {
  workspace: { id: "home" },
  hardCaps: WIDE,
  teams: [{ id: "eng", taskCostLimitUsd: 2 }, { id: "ops" }],
  agents: [{ id: "ada", team: "eng" }],
  tasks: [
    { id: "a", title: "A", team: "eng" },
    { id: "b", title: "B", team: "eng", depends_on: ["a"] },
  ],
};
const TASKS = "/api/v1/teams/eng/tasks";
const OPEN = "/api/v1/agents/ada/sessions";

const roomWithTasks = (): Promise<ServerRoom> => newServerRoom({ policy: POLICY });
const faultOf = ({ status, body }: Reply) => [status, body.faults?.[0]?.path];

describe("a task", () => {
  test("is added with tags, priority, type and dependencies, and is listed with what it cost", async () => {
    const { owner } = await roomWithTasks();
    const body = {
      title: "New",
      priority: "high",
      task_type: "bugfix",
      tags: ["budget:0.50", "x"],
      depends_on: ["a", "a"],
    };
    const { status, body: made } = await owner.post(TASKS, { task_id: 7, ...body });
    expect(status).toBe(201);
    expect(made).toMatchObject({
      ...body,
      task_id: "7",
      team_id: "eng",
      status: "open",
      depends_on: ["a"],
      cost_limit_usd: 0.5,
      spent_usd: 0,
    });
    await owner.patch(`${TASKS}/a`, { status: "done" });
    const { session_id } = (await owner.post(OPEN, { task_id: 7 })).body;
    await owner.post(`/api/v1/sessions/${session_id}/usage`, { input_tokens: 0, output_tokens: 0, cost_usd: 0.3 });
    const { tasks } = (await owner.get(TASKS)).body as unknown as { tasks: Record<string, unknown>[] };
    expect(tasks.map((task) => [task.task_id, task.status, task.spent_usd])).toEqual([
      ["a", "done", 0],
      ["b", "open", 0],
      ["7", "open", 0.3],
    ]);
    expect((await owner.get("/api/v1/teams/ops/tasks")).body.tasks).toEqual([]);
  });

  test("without an id gets one, with one that there is gets 409, whether of astra.yml or not", async () => {
    const { owner } = await roomWithTasks();
    expect((await owner.post(TASKS, { title: "T" })).body.task_id).toMatch(/^tsk_/);
    await owner.post(TASKS, { task_id: "mine", title: "T" });
    for (const task_id of ["a", "mine"]) {
      const { status, body } = await owner.post(TASKS, { task_id, title: "T" });
      expect([status, body.code]).toEqual([409, "conflict"]);
    }
  });

  test("can be changed in each part, and the rest stays", async () => {
    const { owner } = await roomWithTasks();
    await owner.post(TASKS, { task_id: "t", title: "T", priority: "low", tags: ["budget:1"], depends_on: ["a"] });
    const change = async (body: object) => (await owner.patch(`${TASKS}/t`, body)).body;
    expect(await change({ title: "U" })).toMatchObject({
      title: "U",
      priority: "low",
      cost_limit_usd: 1,
      depends_on: ["a"],
    });
    expect(await change({ tags: ["budget:3", "budget:0.20"] })).toMatchObject({ title: "U", cost_limit_usd: 0.2 });
    expect(await change({ tags: [] })).toMatchObject({ cost_limit_usd: 2 });
    expect(await change({ depends_on: [], priority: "high", task_type: "x" })).toMatchObject({
      depends_on: [],
      priority: "high",
    });
    expect(await change({ status: "done" })).toMatchObject({ status: "done", title: "U" });
    expect(await change({ status: "open" })).toMatchObject({ status: "open" });
  });

  test("of astra.yml takes a state only: all else is 409 and stays", async () => {
    const { owner } = await roomWithTasks();
    expect((await owner.patch(`${TASKS}/a`, { status: "cancelled", reason: "not needed" })).body.status).toBe(
      "cancelled",
    );
    for (const body of [{ title: "X" }, { tags: [] }, { depends_on: [] }, { status: "done", priority: "high" }]) {
      const answer = await owner.patch(`${TASKS}/a`, body);
      expect([answer.status, answer.body.code]).toEqual([409, "conflict"]);
    }
    const { tasks } = (await owner.get(TASKS)).body as unknown as { tasks: object[] };
    expect(tasks[0]).toMatchObject({ title: "A", status: "cancelled" });
  });

  test("of one team is not another's", async () => {
    const { owner } = await roomWithTasks();
    const { status, body } = await owner.patch("/api/v1/teams/ops/tasks/a", { status: "done" });
    expect([status, body.code]).toEqual([404, "task_not_found"]);
  });

  test("cannot wait for itself, for one that waits for it, or for one that is not there", async () => {
    const { owner } = await roomWithTasks();
    await owner.post(TASKS, { task_id: "c", title: "C", depends_on: ["b"] });
    await owner.post(TASKS, { task_id: "d", title: "D", depends_on: ["c"] });
    await owner.post(TASKS, { task_id: "e", title: "E" });
    for (const depends_on of [["e"], ["nothing"], ["a", "nothing"]])
      expect(faultOf(await owner.patch(`${TASKS}/e`, { depends_on })), String(depends_on)).toEqual([422, "depends_on"]);
    await owner.patch(`${TASKS}/e`, { depends_on: ["d"] });
    for (const [task, depends_on] of [
      ["c", ["e"]],
      ["d", ["d"]],
      ["c", ["a", "d"]],
    ] as const)
      expect(faultOf(await owner.patch(`${TASKS}/${task}`, { depends_on })), task).toEqual([422, "depends_on"]);
    expect(faultOf(await owner.post(TASKS, { task_id: "f", title: "F", depends_on: ["f"] }))).toEqual([
      422,
      "depends_on",
    ]);
    const { tasks } = (await owner.get(TASKS)).body as unknown as {
      tasks: { task_id: string; depends_on: string[] }[];
    };
    expect(tasks.map((task) => [task.task_id, ...task.depends_on].join(" "))).toEqual([
      "a",
      "b a",
      "c b",
      "d c",
      "e d",
    ]);
  });

  test("that waits opens as soon as what it waits for is done or cancelled, and not again once that is open", async () => {
    const { owner } = await roomWithTasks();
    const open = async () => (await owner.post(OPEN, { task_id: "b" })).status;
    const seen = [await open()];
    for (const status of ["done", "open", "cancelled"]) {
      await owner.patch(`${TASKS}/a`, { status });
      seen.push(await open());
    }
    expect(seen).toEqual([409, 201, 409, 201]);
  });

  test.each([
    [{ title: "T", tags: ["budget:-1"] }, "tags.0"],
    [{ title: "T", tags: ["budget:"] }, "tags.0"],
    [{ title: "T", tags: "budget:1" }, "tags"],
    [{ tags: [] }, "title"],
    [{ title: "" }, "title"],
    [{ title: 5 }, "title"],
    [{ title: "T", status: "done" }, ""],
    [{ title: "T", team_id: "ops" }, "team_id"],
  ])("is not added from %j", async (body, path) => {
    const { owner } = await roomWithTasks();
    expect(faultOf(await owner.post(TASKS, body))).toEqual([422, path]);
    expect((await owner.get(TASKS)).body.tasks).toHaveLength(2);
  });
});

describe("a stop", () => {
  test.each([
    ["a session", (id: string) => ({ session_id: id }), "session"],
    ["an agent", () => ({ agent_id: "ada" }), "agent"],
    ["a task", () => ({ task_id: "a" }), "task"],
    ["a team", () => ({ team_id: "eng" }), "team"],
    ["all", () => ({ all: true }), "workspace"],
  ])("on %s denies what it covers from then on, is listed, and is lifted by its id", async (_, target, scope) => {
    const { owner } = await roomWithTasks();
    const { session_id } = (await owner.post(OPEN, { task_id: "a" })).body;
    const made = await owner.post("/api/v1/stops", { ...target(session_id), reason: "It loops" });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ scope, reason: "It loops.", open_sessions: 1 });
    const { stop_id } = made.body;
    expect((await owner.get("/api/v1/stops")).body.stops).toEqual([expect.objectContaining({ stop_id, scope })]);
    const usage = { input_tokens: 1, output_tokens: 1, cost_usd: 0.01 };
    const report = await owner.post(`/api/v1/sessions/${session_id}/usage`, usage);
    // What was spent is recorded, and the answer says stop.
    expect(report.body).toMatchObject({ recorded: true, verdict: { decision: "deny", binding: { kind: "stop" } } });
    expect((await owner.post(OPEN, { task_id: "a" })).status).toBe(scope === "session" ? 201 : 409);
    expect((await owner.delete(`/api/v1/stops/${stop_id}?reason=mended`)).body).toMatchObject({ scope, lifted: 1 });
    expect((await owner.post(`/api/v1/sessions/${session_id}/check`)).body.verdict.decision).toBe("allow");
    expect((await owner.get("/api/v1/stops")).body.stops).toEqual([]);
    expect((await owner.delete(`/api/v1/stops/${stop_id}`)).status).toBe(404);
  });

  test("is lifted alone: one beside it stays", async () => {
    const { owner } = await roomWithTasks();
    const stops = [];
    for (const reason of ["One.", "Two."])
      stops.push((await owner.post("/api/v1/stops", { agent_id: "ada", reason })).body.stop_id);
    await owner.delete(`/api/v1/stops/${stops[0]}`);
    expect((await owner.get("/api/v1/stops")).body.stops).toMatchObject([{ stop_id: stops[1], reason: "Two." }]);
    expect((await owner.post(OPEN)).body.detail).toContain("Two.");
  });

  test.each([
    [{ reason: "x" }, ""],
    [{ agent_id: "ada", team_id: "eng", reason: "x" }, ""],
    [{ agent_id: "ada" }, "reason"],
    [{ agent_id: "ada", reason: " " }, "reason"],
    [{ all: false, reason: "x" }, "all"],
    [{ agent: "ada", reason: "x" }, ""],
  ])("is not made from %j", async (body, path) => {
    const { owner } = await roomWithTasks();
    expect(faultOf(await owner.post("/api/v1/stops", body))).toEqual([422, path]);
    expect((await owner.get("/api/v1/stops")).body.stops).toEqual([]);
  });
});
