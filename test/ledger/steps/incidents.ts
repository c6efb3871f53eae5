// What every engine must do with incidents, paces and the outbox of webhooks.
import { expect, test } from "vitest";
import type { SharedCap } from "../../../src/core/cap-pace.ts";
import { findMarks, putMarks } from "../../../src/ledger/cap-pace.ts";
import {
  acknowledgeIncident,
  findIncident,
  type Incident,
  type IncidentFilter,
  incidentsBelow,
  insertIncident,
} from "../../../src/ledger/incidents.ts";
import type { Ledger } from "../../../src/ledger/ledger.ts";
import { openSessionsOnTask } from "../../../src/ledger/session-lists.ts";
import { addToWatch, endWatch, findRolePace } from "../../../src/ledger/session-watch.ts";
import {
  deliveriesBelow,
  dueDeliveries,
  findDelivery,
  insertDelivery,
  leaseDelivery,
  restartDelivery,
  settleDelivery,
  waitingWebhooks,
} from "../../../src/ledger/webhook-deliveries.ts";
import { START } from "../../world.ts";
import { aSession, HUGE, seeded, WORKSPACE } from "../fixtures.ts";

const INCIDENT: Omit<Incident, "acknowledged"> = {
  id: "inc_1",
  workspaceId: WORKSPACE,
  kind: "task_red_flag",
  scope: "task",
  scopeId: "594",
  windowKey: "",
  sessionId: "ses_1",
  agentId: "ada",
  teamId: null,
  taskId: "594",
  message: "Task 594 cost $5.20.",
  evidence: { spent_usd: 5.2, since: "2026-11-22T12:00:00.000Z" },
  stopId: null,
  raisedAt: START,
};

const EVERY: IncidentFilter = {
  workspaceId: WORKSPACE,
  kind: null,
  scope: null,
  scopeId: null,
  agentId: null,
  state: null,
};

const MINUTE = 60_000;

export function incidentSteps(ledger: () => Ledger): void {
  const raise = (rest: Partial<Incident> = {}) => ledger().write(() => insertIncident({ ...INCIDENT, ...rest }));

  test("an incident is raised once for its workspace, kind, scope, id and window", async () => {
    expect(await raise()).toBe("raised");
    expect(await raise({ id: "inc_2", message: "Again." })).toBe("was_raised");
    const others: Partial<Incident>[] = [
      { workspaceId: "another" },
      { kind: "cap_soon" },
      { scope: "team" },
      { scopeId: "595" },
      { windowKey: "2026-11-22" },
    ];
    for (const [i, rest] of others.entries()) expect(await raise({ id: `inc_${3 + i}`, ...rest })).toBe("raised");
    expect(await ledger().read(() => findIncident(WORKSPACE, "inc_1"))).toEqual({ ...INCIDENT, acknowledged: null });
    expect(await ledger().read(() => findIncident(WORKSPACE, "inc_2"))).toBeUndefined();
    expect(await ledger().read(() => findIncident("another", "inc_1"))).toBeUndefined();
  });

  test("incidents are listed from the newest on, by any filter and by the page", async () => {
    await raise();
    await raise({ id: "inc_2", scopeId: "595", agentId: "bob" });
    await raise({ id: "inc_3", kind: "cap_soon", scope: "team", scopeId: "red" });
    const ids = async (rest: Partial<IncidentFilter>, limit = 10, below?: string) =>
      (await ledger().read(() => incidentsBelow({ ...EVERY, ...rest }, limit, below))).map(({ id }) => id);
    expect(await ids({})).toEqual(["inc_3", "inc_2", "inc_1"]);
    expect(await ids({}, 2)).toEqual(["inc_3", "inc_2"]);
    expect(await ids({}, 2, "inc_2")).toEqual(["inc_1"]);
    expect(await ids({ kind: "task_red_flag" })).toEqual(["inc_2", "inc_1"]);
    expect(await ids({ scope: "team", scopeId: "red" })).toEqual(["inc_3"]);
    expect(await ids({ agentId: "bob" })).toEqual(["inc_2"]);
    expect(await ids({ workspaceId: "another" })).toEqual([]);
    await ledger().write(() => acknowledgeIncident(WORKSPACE, "inc_2", { at: START, by: "key_1", note: null }));
    expect(await ids({ state: "open" })).toEqual(["inc_3", "inc_1"]);
    expect(await ids({ state: "acknowledged" })).toEqual(["inc_2"]);
  });

  test("an incident is acknowledged once, by whoever was first", async () => {
    await raise();
    const first = { at: START + 5, by: "key_1", note: "Known." };
    const changed = await ledger().write(() => acknowledgeIncident(WORKSPACE, "inc_1", first));
    expect(changed).toEqual({ ...INCIDENT, acknowledged: first });
    const second = { at: START + 9, by: "key_2", note: "No." };
    expect(await ledger().write(() => acknowledgeIncident(WORKSPACE, "inc_1", second))).toBeUndefined();
    expect(await ledger().write(() => acknowledgeIncident("another", "inc_1", second))).toBeUndefined();
    expect(await ledger().read(() => findIncident(WORKSPACE, "inc_1"))).toEqual(changed);
  });

  test("a session's pace is kept by the minute, its busiest before is never the present one", async () => {
    const add = (tokens: bigint, atMs: number) => ledger().write(() => addToWatch("ses_1", tokens, null, START + atMs));
    const none = { sameErrors: 0 };
    expect(await add(100n, 0)).toEqual({ minuteAt: START, reports: 1, tokens: 100, peakTokens: 0, ...none });
    expect(await add(50n, MINUTE - 1)).toEqual({ minuteAt: START, reports: 2, tokens: 150, peakTokens: 0, ...none });
    expect(await add(7n, MINUTE)).toMatchObject({ minuteAt: START + MINUTE, reports: 1, tokens: 7, peakTokens: 150 });
    expect(await add(200n, 5 * MINUTE)).toMatchObject({ reports: 1, tokens: 200, peakTokens: 150 });
    expect(await add(1n, 6 * MINUTE)).toMatchObject({ reports: 1, tokens: 1, peakTokens: 200 });
    expect(await ledger().write(() => addToWatch("ses_2", 1n, null, START))).toMatchObject({
      reports: 1,
      peakTokens: 0,
    });
  });

  test("the same error counts on while it comes at least once a minute, other reports between or not", async () => {
    const add = async (hash: string | null, atMs: number) =>
      (await ledger().write(() => addToWatch("ses_1", 1n, hash, START + atMs))).sameErrors;
    expect(await add("aa", 0)).toBe(1);
    expect(await add(null, 1_000)).toBe(1);
    expect(await add("aa", 2_000)).toBe(2);
    expect(await add("aa", 2_000 + MINUTE)).toBe(3);
    expect(await add("bb", 2_001 + MINUTE)).toBe(1);
    expect(await add("aa", 2_002 + MINUTE)).toBe(1);
    expect(await add(null, 2_002 + 2 * MINUTE)).toBe(1);
    expect(await add(null, 2_003 + 2 * MINUTE)).toBe(0);
    expect(await add("aa", 2_004 + 2 * MINUTE)).toBe(1);
  });

  test("a session that ends leaves its busiest minute to its role, once, and nothing else", async () => {
    const pace = (role: string | null) => ledger().read(() => findRolePace(WORKSPACE, role));
    expect(await pace("writer")).toBeNull();
    for (const [id, first, second] of [
      ["ses_1", 100n, 30n],
      ["ses_2", 20n, 70n],
    ] as const) {
      await ledger().write(() => addToWatch(id, first, null, START));
      await ledger().write(() => addToWatch(id, second, null, START + MINUTE));
      await ledger().write(() => endWatch(WORKSPACE, id, "writer"));
      await ledger().write(() => endWatch(WORKSPACE, id, "writer"));
    }
    expect(await pace("writer")).toEqual({ sessions: 2, peakTokens: 170 });
    await ledger().write(() => addToWatch("ses_3", 0n, "aa", START));
    await ledger().write(() => endWatch(WORKSPACE, "ses_3", null));
    expect(await pace(null)).toBeNull();
    expect(await ledger().write(() => addToWatch("ses_1", 1n, null, START))).toMatchObject({ reports: 1 });
  });

  test("the marks of a cap are those of its present window", async () => {
    const cap = { scope: "team", scopeId: "red", window: "day", measure: "cost_usd", resetsAt: START } as SharedCap;
    const marks = { olderAt: START - 2, olderSpent: HUGE, newerAt: START - 1, newerSpent: HUGE + 1n };
    const read = (rest: Partial<SharedCap> = {}) => ledger().read(() => findMarks(WORKSPACE, { ...cap, ...rest }));
    expect(await read()).toBeNull();
    await ledger().write(() => putMarks(WORKSPACE, cap, marks));
    expect(await read()).toEqual(marks);
    for (const rest of [
      { scope: "task" },
      { scopeId: "blue" },
      { window: "month" },
      { measure: "total_tokens" },
    ] as const)
      expect(await read(rest as Partial<SharedCap>)).toBeNull();
    const next = { ...cap, resetsAt: START + 1 };
    await ledger().write(() => putMarks(WORKSPACE, next, { ...marks, olderSpent: 0n }));
    expect([await read(), await read(next)]).toEqual([null, { ...marks, olderSpent: 0n }]);
  });

  test("who could spend on a task is listed: open sessions of it, their time not over", async () => {
    const parent = aSession({ taskId: "594" });
    const child = aSession({ parent, agentId: "kid", taskId: "594" });
    const over = aSession({ taskId: "594", status: "success", endedAt: START });
    const late = aSession({ taskId: "594", expiresAt: START });
    const others = [aSession({ taskId: "595" }), aSession({ workspaceId: "another", taskId: "594" })];
    for (const each of [parent, child, over, late, ...others]) await ledger().write(() => seeded(each));
    const found = await ledger().read(() => openSessionsOnTask(WORKSPACE, "594", START));
    expect(found).toEqual([
      { id: parent.id, agentId: "ada", openedAt: START, rootAgentId: "ada" },
      { id: child.id, agentId: "kid", openedAt: START, rootAgentId: "ada" },
    ]);
  });

  outboxSteps(ledger, raise);
}

function outboxSteps(ledger: () => Ledger, raise: () => Promise<unknown>): void {
  const queue = (id: string, webhookId = "ops", incidentId = "inc_1") =>
    ledger().write(() => insertDelivery({ id, workspaceId: WORKSPACE, webhookId, incidentId, createdAt: START }));
  const due = async (now: number, webhookId = "ops") =>
    (await ledger().read(() => dueDeliveries(WORKSPACE, webhookId, now, now, 10))).map(({ id }) => id);

  test("a message is there once for each incident and webhook, and only with its incident", async () => {
    await raise();
    await queue("msg_1");
    await expect(queue("msg_2")).rejects.toThrow();
    await expect(queue("msg_3", "ops", "inc_none")).rejects.toThrow();
    await queue("msg_4", "chat");
    expect(await ledger().read(() => waitingWebhooks(WORKSPACE))).toEqual(expect.arrayContaining(["chat", "ops"]));
    expect(await ledger().read(() => waitingWebhooks("another"))).toEqual([]);
    const listed = await ledger().read(() => deliveriesBelow(WORKSPACE, null, 10));
    expect(listed.map(({ id }) => id)).toEqual(["msg_4", "msg_1"]);
    expect(listed[1]).toEqual({
      id: "msg_1",
      workspaceId: WORKSPACE,
      webhookId: "ops",
      incidentId: "inc_1",
      state: "pending",
      attempts: 0,
      nextAt: START,
      leasedUntil: 0,
      lastResult: null,
      createdAt: START,
      updatedAt: START,
    });
  });

  test("a message is leased by one at a time, and by another when the lease is over", async () => {
    await raise();
    await queue("msg_1");
    const lease = (now: number) => ledger().write(() => leaseDelivery("msg_1", now, now + 100));
    expect(await lease(START - 1)).toBeUndefined();
    const [first, second] = await Promise.all([lease(START), lease(START)]);
    expect([first?.leasedUntil, second]).toEqual([START + 100, undefined]);
    expect(await due(START + 99)).toEqual([]);
    expect(await due(START + 100)).toEqual(["msg_1"]);
    const taken = await lease(START + 100);
    if (!first || !taken) throw new Error("not leased");
    // Who comes back after its lease has nothing to say any more.
    const sent = { state: "delivered", attempts: 1, nextAt: START, lastResult: null } as const;
    await ledger().write(() => settleDelivery(first, sent, START + 150));
    expect(await ledger().read(() => findDelivery(WORKSPACE, "msg_1"))).toMatchObject({
      state: "pending",
      attempts: 0,
    });
    await ledger().write(() => settleDelivery(taken, sent, START + 160));
    expect(await ledger().read(() => findDelivery(WORKSPACE, "msg_1"))).toMatchObject({
      state: "delivered",
      attempts: 1,
      leasedUntil: 0,
      updatedAt: START + 160,
    });
    expect(await due(START + 1_000_000)).toEqual([]);
    expect(await lease(START + 1_000_000)).toBeUndefined();
  });

  test("what failed is due when its pause is over, and again from the start when it is restarted", async () => {
    await raise();
    await queue("msg_1");
    const leased = await ledger().write(() => leaseDelivery("msg_1", START, START + 100));
    if (!leased) throw new Error("not leased");
    const failed = { state: "pending", attempts: 1, nextAt: START + 5_000, lastResult: "HTTP 500" } as const;
    await ledger().write(() => settleDelivery(leased, failed, START + 1));
    expect([await due(START + 4_999), await due(START + 5_000)]).toEqual([[], ["msg_1"]]);
    expect(await due(START + 5_000, "chat")).toEqual([]);
    const again = await ledger().write(() => restartDelivery(WORKSPACE, "msg_1", START + 2));
    expect(again).toMatchObject({ state: "pending", attempts: 0, nextAt: START + 2 });
    expect(await due(START + 2)).toEqual(["msg_1"]);
    expect(await ledger().write(() => restartDelivery("another", "msg_1", START))).toBeUndefined();
  });

  test("messages are listed by their state and by the page", async () => {
    await raise();
    for (const id of ["msg_1", "msg_2", "msg_3"]) await queue(id, `hook-${id}`);
    const leased = await ledger().write(() => leaseDelivery("msg_2", START, START + 1));
    if (!leased) throw new Error("not leased");
    await ledger().write(() => settleDelivery(leased, { ...leased, state: "dropped" }, START));
    const ids = async (state: "pending" | "dropped" | null, limit = 10, below?: string) =>
      (await ledger().read(() => deliveriesBelow(WORKSPACE, state, limit, below))).map(({ id }) => id);
    expect(await ids(null, 2)).toEqual(["msg_3", "msg_2"]);
    expect(await ids(null, 2, "msg_2")).toEqual(["msg_1"]);
    expect(await ids("pending")).toEqual(["msg_3", "msg_1"]);
    expect(await ids("dropped")).toEqual(["msg_2"]);
  });
}
