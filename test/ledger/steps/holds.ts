// What every engine must do with balances, holds, stops and tasks.
import { expect, test } from "vitest";
import type { BalanceKey } from "../../../src/core/balance-key.ts";
import { NOTHING, negate } from "../../../src/core/usage.ts";
import { addToBalances, lockBalances, readBalances } from "../../../src/ledger/balances.ts";
import { closeHold, dueHolds, findHold, openHolds } from "../../../src/ledger/holds.ts";
import type { Ledger } from "../../../src/ledger/ledger.ts";
import { insertStop, liftStops, type Stop, stopsInForce } from "../../../src/ledger/stops.ts";
import { findTask, listTasks, putTask, type TaskRecord } from "../../../src/ledger/tasks.ts";
import { START } from "../../world.ts";
import { aHold, amounts, aSession, HUGE, held, seeded, WORKSPACE } from "../fixtures.ts";

const key = (scopeId: string): BalanceKey => ({ scope: "agent", scopeId, window: "day", windowKey: "2026-11-22" });

export function holdSteps(ledger: () => Ledger): void {
  test("a locked balance is there with nothing in it, an unlocked one is not", async () => {
    const rows = await ledger().write(() => lockBalances(WORKSPACE, [key("a"), key("b")]));
    expect(rows.map(([each, balance]) => [each.scopeId, balance])).toEqual([
      ["a", { spent: NOTHING, held: NOTHING }],
      ["b", { spent: NOTHING, held: NOTHING }],
    ]);
    expect(await ledger().read(() => readBalances(WORKSPACE, [key("a"), key("c")]))).toHaveLength(1);
    expect(await ledger().read(() => readBalances("another", [key("a")]))).toEqual([]);
    expect(await ledger().write(() => lockBalances(WORKSPACE, []))).toEqual([]);
  });

  test("amounts are added to rows old and new, exactly, and more than there is cannot be taken away", async () => {
    const all = amounts(HUGE, { promptTokens: 2n, completionTokens: 3n, toolCalls: 4n });
    await ledger().write(() => addToBalances(WORKSPACE, [key("a")], all, NOTHING));
    const rows = await ledger().write(() => addToBalances(WORKSPACE, [key("a"), key("b")], NOTHING, all));
    expect(rows.map(([, balance]) => balance)).toEqual([
      { spent: all, held: all },
      { spent: NOTHING, held: all },
    ]);
    await ledger().write(() => addToBalances(WORKSPACE, [key("a")], NOTHING, negate(all)));
    const over = () => addToBalances(WORKSPACE, [key("a"), key("b")], NOTHING, amounts(-1n));
    await expect(ledger().write(over)).rejects.toThrow();
    const after = await ledger().read(() => readBalances(WORKSPACE, [key("a"), key("b")]));
    expect(after.map(([, balance]) => balance.held.cost)).toEqual([0n, HUGE]);
  });

  test("a transaction may lock thousands of balances", async () => {
    const keys = Array.from({ length: 6_000 }, (_, i) => key(`agent-${String(i).padStart(5, "0")}`));
    const rows = await ledger().write(() => addToBalances(WORKSPACE, keys, amounts(1n), NOTHING));
    expect(rows).toHaveLength(6_000);
    expect(rows.every(([, balance]) => balance.spent.cost === 1n)).toBe(true);
    expect(await ledger().read(() => readBalances(WORKSPACE, keys))).toHaveLength(6_000);
  });

  test("a hold comes back as written and reaches exactly one final state", async () => {
    const session = await ledger().write(() => seeded(aSession()));
    const all = amounts(HUGE, { promptTokens: 1n, completionTokens: 2n, toolCalls: 3n });
    const hold = await ledger().write(() => held(session, aHold(session, { amounts: all })));
    expect(await ledger().read(() => findHold(WORKSPACE, hold.id))).toEqual(hold);
    expect(await ledger().read(() => findHold("another", hold.id))).toBeUndefined();
    for (const [i, state] of (["settled", "released", "expired"] as const).entries()) {
      const outcome = await ledger().write(() => closeHold(hold.id, state));
      expect(outcome).toBe(i === 0 ? "closed" : "was_closed");
    }
    expect((await ledger().read(() => findHold(WORKSPACE, hold.id)))?.state).toBe("settled");
    expect(await ledger().write(() => closeHold("hld_none", "released"))).toBe("was_closed");
  });

  test("of many who close one hold at the same time, one does", async () => {
    const session = await ledger().write(() => seeded(aSession()));
    const hold = await ledger().write(() => held(session, aHold(session)));
    const outcomes = await Promise.all(
      (["settled", "released", "expired", "settled", "released"] as const).map((state) =>
        ledger().write(() => closeHold(hold.id, state)),
      ),
    );
    expect(outcomes.filter((outcome) => outcome === "closed")).toHaveLength(1);
  });

  test("holds are due from the moment their time is over, the oldest first, and only while they are open", async () => {
    const session = await ledger().write(() => seeded(aSession()));
    const other = await ledger().write(() => seeded(aSession()));
    const [late, early, closed] = [
      aHold(session, { expiresAt: START + 20 }),
      aHold(other, { expiresAt: START + 10 }),
      aHold(session, { expiresAt: START + 5 }),
    ];
    for (const hold of [late, early, closed]) await ledger().write(() => held(session, hold));
    await ledger().write(() => closeHold(closed.id, "released"));
    const due = async (now: number, workspace = WORKSPACE) =>
      (await ledger().read(() => dueHolds(workspace, now))).map((hold) => hold.id);
    expect(await due(START + 9)).toEqual([]);
    expect(await due(START + 10)).toEqual([early.id]);
    expect(await due(START + 20)).toEqual([early.id, late.id]);
    expect(await due(START + 20, "another")).toEqual([]);
    expect((await ledger().read(() => openHolds(session.id))).map((hold) => hold.id)).toEqual([late.id]);
  });

  test("a stop is in force until exactly it is lifted", async () => {
    const stop = (changes: Partial<Stop>): Stop => ({
      id: `stp_${changes.scope}_${changes.scopeId}`,
      workspaceId: WORKSPACE,
      scope: "agent",
      scopeId: "ada",
      reason: "too dear",
      createdAt: START,
      ...changes,
    });
    const [ada, bob, task] = [stop({}), stop({ scopeId: "bob" }), stop({ scope: "task", scopeId: "ada" })];
    for (const each of [ada, bob, task]) await ledger().write(() => insertStop(each));
    const inForce = async () => (await ledger().read(() => stopsInForce(WORKSPACE))).map((each) => each.id).sort();
    expect(await inForce()).toEqual([ada.id, bob.id, task.id].sort());
    expect(await ledger().write(() => liftStops(WORKSPACE, "agent", "ada", START + 1))).toEqual([ada]);
    expect(await ledger().write(() => liftStops(WORKSPACE, "agent", "ada", START + 2))).toEqual([]);
    expect(await inForce()).toEqual([bob.id, task.id].sort());
    expect(await ledger().read(() => stopsInForce("another"))).toEqual([]);
  });

  test("a task that is written again is changed, but keeps its team and when it was made", async () => {
    const task: TaskRecord = {
      workspaceId: WORKSPACE,
      id: "594",
      title: "Fix the <b>header</b>",
      teamId: "team",
      priority: "low",
      taskType: "bugfix",
      tags: ["budget:0.50", "ui"],
      dependsOn: ["1", "2"],
      status: "open",
      createdAt: START,
      updatedAt: START,
    };
    const older = { ...task, id: "7", createdAt: START - 1 };
    await ledger().write(() => putTask(task));
    expect(await ledger().read(() => findTask(WORKSPACE, "594"))).toEqual(task);
    await ledger().write(() => putTask(older));
    const expected = { ...task, title: "another", tags: [], status: "done", updatedAt: START + 9 } as const;
    await ledger().write(() => putTask({ ...expected, teamId: "other", createdAt: START + 5 }));
    expect(await ledger().read(() => findTask(WORKSPACE, "594"))).toEqual(expected);
    expect(await ledger().read(() => findTask("another", "594"))).toBeUndefined();
    expect((await ledger().read(() => listTasks(WORKSPACE))).map((each) => each.id)).toEqual(["7", "594"]);
  });
}
