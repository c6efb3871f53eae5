// Tasks as they are recorded: each dependency once, and one of astra.yml with the time its state was first set.
import { expect, test } from "vitest";
import { listTasks } from "../../src/ledger/tasks.ts";
import { START, worldOf } from "../world.ts";

test("a dependency named twice is one, when a task is added and when it is changed", async () => {
  const world = await worldOf();
  for (const task_id of ["a", "b"]) await world.call("add_task", { task_id, title: "first" });
  const added = await world.call("add_task", { task_id: "c", title: "then", depends_on: ["a", "a"] });
  expect(added.depends_on).toEqual(["a"]);
  const changed = await world.call("update_task", { task_id: "c", depends_on: ["b", "a", "b"] });
  expect(changed.depends_on).toEqual(["b", "a"]);
});

test("the state of a task of astra.yml is recorded with the time it was first set", async () => {
  const world = await worldOf({ policy: { tasks: [{ id: "594" }] } });
  await world.call("update_task", { task_id: "594", status: "done" });
  world.pass(5_000);
  await world.call("update_task", { task_id: "594", status: "open" });
  const [task] = await world.ledger.read(() => listTasks("default"));
  expect(task).toMatchObject({ status: "open", createdAt: START, updatedAt: START + 5_000 });
});
