// What every engine must do with sessions: keep them whole, find, count, end and never double them.
import { expect, test } from "vitest";
import { endOpenSession } from "../../../src/ledger/executions.ts";
import type { Ledger } from "../../../src/ledger/ledger.ts";
import { listSessions } from "../../../src/ledger/session-lists.ts";
import type { Session } from "../../../src/ledger/session-row.ts";
import {
  addToSession,
  countChildren,
  countConcurrentChildren,
  findAncestors,
  findSession,
  findSessionByKey,
  insertSession,
  openDescendants,
} from "../../../src/ledger/sessions.ts";
import { START } from "../../world.ts";
import { anEnding, aSession, HUGE, seeded, WORKSPACE } from "../fixtures.ts";

/** A root with two children, one of which has a child of its own. */
function tree() {
  const root = aSession();
  const left = aSession({ parent: root, agentId: "bob" });
  const right = aSession({ parent: root, agentId: "bob" });
  const leaf = aSession({ parent: left, agentId: "cy" });
  return { root, left, right, leaf, all: [root, left, right, leaf] };
}

const insertAll = (ledger: Ledger, sessions: readonly Session[]) =>
  ledger.write(function* () {
    for (const session of sessions) yield* insertSession(session);
  });

export function sessionSteps(ledger: () => Ledger): void {
  test("a session comes back exactly as it was written", async () => {
    const parent = aSession();
    const session = aSession({
      parent,
      role: "researcher",
      teamId: "team/ä",
      taskId: "594",
      userId: "u@example.org",
      model: "claude-sonnet-4",
      provider: "anthropic",
      budget: { ...parent.budget, maxCostCents: HUGE },
      tools: { allow: ["web_search"], deny: ["shell"] },
      memory: { long_term: false },
      clamped: [{ field: "max_cost_cents", asked: 900, to: 500, by: "hard cap" }],
      status: "error",
      error: 'it\'s "over"; DROP TABLE charges; --\n',
      endedAt: START + 5,
      execution: { outcome: "over_budget", hour: "2026-11-22T12", costLimit: HUGE },
      idempotencyKey: "key",
      request: "{}",
    });
    await insertAll(ledger(), [parent, session]);
    expect(await ledger().read(() => findSession(WORKSPACE, session.id))).toEqual(session);
    expect(await ledger().read(() => findSession("another", session.id))).toBeUndefined();
    expect(await ledger().read(() => findSession(WORKSPACE, "ses_none"))).toBeUndefined();
  });

  test("a session is found by its agent's key, and no key is ever used twice", async () => {
    const keyed = aSession({ idempotencyKey: "k", request: "{}" });
    await insertAll(ledger(), [keyed, aSession(), aSession(), aSession({ agentId: "bob", idempotencyKey: "k" })]);
    expect((await ledger().read(() => findSessionByKey(WORKSPACE, "ada", "k")))?.id).toBe(keyed.id);
    expect(await ledger().read(() => findSessionByKey(WORKSPACE, "ada", "other"))).toBeUndefined();
    await expect(ledger().write(() => seeded(aSession({ idempotencyKey: "k" })))).rejects.toThrow();
    expect(
      await ledger().read(() => listSessions({ workspaceId: WORKSPACE, agentId: null, which: "all" }, 10)),
    ).toHaveLength(4);
  });

  test("a tree knows its ancestors, its open descendants and its children", async () => {
    const { root, left, leaf, all } = tree();
    await insertAll(ledger(), all);
    const found = await ledger().read(function* () {
      return {
        above: yield* findAncestors(leaf),
        below: yield* openDescendants(root),
        belowLeft: yield* openDescendants(left),
        ofRoot: yield* countChildren(root),
        ofLeft: yield* countChildren(left),
      };
    });
    expect(found.above.map((each) => each.id)).toEqual([root.id, left.id]);
    expect(found.below.map((each) => each.id).sort()).toEqual(
      all
        .slice(1)
        .map((each) => each.id)
        .sort(),
    );
    expect(found.belowLeft.map((each) => each.id)).toEqual([leaf.id]);
    expect(found.ofRoot).toEqual({ children: 2n, tree: 3n });
    expect(found.ofLeft).toEqual({ children: 1n, tree: 3n });
  });

  test("a session ends once, and an ended or overdue child is no concurrent one", async () => {
    const { root, left, right, all } = tree();
    await insertAll(ledger(), all);
    const concurrent = (now: number) => ledger().read(() => countConcurrentChildren(WORKSPACE, "ada", now));
    expect(await concurrent(START)).toBe(2n);
    const first = await ledger().write(() =>
      endOpenSession(left, anEnding({ status: "error", error: "no more", atMs: START + 1 })),
    );
    const second = await ledger().write(() => endOpenSession(left, anEnding({ atMs: START + 2 })));
    expect([first, second]).toEqual(["ended", "was_not_open"]);
    expect(await ledger().read(() => findSession(WORKSPACE, left.id))).toMatchObject({
      status: "error",
      error: "no more",
      endedAt: START + 1,
      execution: { outcome: "error", hour: "2026-11-22T12", costLimit: left.budget.maxCostCents },
    });
    expect(await concurrent(START)).toBe(1n);
    expect(await concurrent(right.expiresAt)).toBe(0n);
    expect((await ledger().read(() => openDescendants(root))).map((each) => each.id)).not.toContain(left.id);
  });

  test("sessions are listed newest first", async () => {
    const [old, middle, young] = [0, 1, 2].map((hours) => aSession({ openedAt: START + hours * 3_600_000 }));
    if (!old || !middle || !young) throw new TypeError();
    await insertAll(ledger(), [middle, young, old]);
    await ledger().write(() => endOpenSession(young, anEnding()));
    const ids = async (which: "all" | "open", limit: number) =>
      (await ledger().read(() => listSessions({ workspaceId: WORKSPACE, agentId: null, which: which }, limit))).map(
        (each) => each.id,
      );
    expect(await ids("all", 10)).toEqual([young.id, middle.id, old.id]);
    expect(await ids("all", 2)).toEqual([young.id, middle.id]);
    expect(await ids("open", 10)).toEqual([middle.id, old.id]);
  });

  test("totals add up exactly, beyond what a double can hold", async () => {
    const session = aSession();
    await insertAll(ledger(), [session]);
    const usage = { inputTokens: 1n, outputTokens: 2n, cacheReadTokens: 3n, cacheWriteTokens: 4n, toolCalls: 5n };
    const add = (cost: bigint, errors: bigint) =>
      ledger().write(() => addToSession(session.id, { ...usage, cost, errors, charges: 1n }));
    await add(HUGE, 0n);
    const totals = await add(1n, 1n);
    expect(totals).toEqual({
      charges: 2n,
      errors: 1n,
      inputTokens: 2n,
      outputTokens: 4n,
      cacheReadTokens: 6n,
      cacheWriteTokens: 8n,
      toolCalls: 10n,
      cost: HUGE + 1n,
    });
    expect((await ledger().read(() => findSession(WORKSPACE, session.id)))?.totals).toEqual(totals);
  });
}
