// What every engine must answer when asked for single charges: each once, in order, by any filter, page by page.
import { beforeEach, expect, test } from "vitest";
import { NO_USAGE } from "../../../src/core/usage.ts";
import { chargesAfter } from "../../../src/ledger/charge-list.ts";
import { recordCharge } from "../../../src/ledger/charges.ts";
import { type CostFilter, everything } from "../../../src/ledger/costs.ts";
import type { Ledger } from "../../../src/ledger/ledger.ts";
import type { Session } from "../../../src/ledger/session-row.ts";
import { raw } from "../engines.ts";
import { aCharge, aSession, HUGE, hourOf, seeded, WORKSPACE } from "../fixtures.ts";

const ALL = everything(WORKSPACE, "0000-01-01", "9999-12-31");

export function chargeListSteps(ledger: () => Ledger): void {
  let ada: Session;
  let bob: Session;
  beforeEach(async () => {
    ada = await ledger().write(() =>
      seeded(aSession({ agentId: "ada", teamId: "blue", role: "writer", provider: "p" })),
    );
    bob = await ledger().write(() => seeded(aSession({ parent: ada, agentId: "bob", userId: "u", taskId: "t" })));
    const elsewhere = await ledger().write(() => seeded(aSession({ workspaceId: "another" })));
    for (const [i, session] of [ada, bob, elsewhere, ada, bob, ada].entries()) {
      const occurredAt = Date.parse(`2026-11-${20 + i}T12:00:00Z`);
      const lines = [
        { tool: "web", calls: 2n, cost: 3n },
        { tool: "shell", calls: 0n, cost: 4n },
      ];
      const more = i === 3 ? { tool: "planner", model: "m", usage: { ...NO_USAGE, toolCalls: 3n }, lines } : {};
      const of = { occurredAt, hour: hourOf(occurredAt), cost: HUGE + BigInt(i), ...more };
      await ledger().write(() => recordCharge(aCharge(session, of)));
    }
  });

  const page = (filter: Partial<CostFilter>, after = 0n, limit = 100) =>
    ledger().read(() => chargesAfter({ ...ALL, ...filter }, after, limit));
  /** Which of the charges, by the last digit of what they cost: 0, 1, 3, 4, 5; and where the next page begins. */
  const found = async (filter: Partial<CostFilter>, after?: bigint, limit?: number) => {
    const { charges, next } = await page(filter, after, limit);
    return [charges.map((charge) => Number(charge.cost_nano_usd - HUGE)).join(""), next];
  };

  test("all of a workspace, in order, with their tools and what their sessions are", async () => {
    const { charges, next } = await page({});
    expect(next).toBeNull();
    expect(charges.map((charge) => charge.session_id)).toEqual([ada.id, bob.id, ada.id, bob.id, ada.id]);
    expect(charges[1]).toMatchObject({
      path: `${ada.id}/${bob.id}`,
      parent_session_id: ada.id,
      session_status: "open",
    });
    expect(charges[2]).toMatchObject({ no: 2n, tool: "planner", model: "m", hour: "2026-11-23T12" });
    expect(charges.map((charge) => charge.lines.length)).toEqual([0, 0, 2, 0, 0]);
    expect(charges[2]?.lines).toEqual([
      { tool: "shell", calls: 0n, cost: 4n },
      { tool: "web", calls: 2n, cost: 3n },
    ]);
    expect(await found({ workspaceId: "another" })).toEqual(["2", null]);
    expect(await found({ workspaceId: "unheard of" })).toEqual(["", null]);
  });

  test("by each thing a filter may name, and by several", async () => {
    for (const [filter, which] of [
      [{ agentId: "ada" }, "035"],
      [{ agentId: "nobody" }, ""],
      [{ teamId: "blue" }, "035"],
      [{ role: "writer" }, "035"],
      [{ taskId: "t" }, "14"],
      [{ userId: "u" }, "14"],
      [{ provider: "p" }, "035"],
      [{ model: "m" }, "3"],
      [{ tool: "planner" }, "3"],
      [{ tool: "web" }, "3"],
      [{ tool: "" }, "0145"],
      [{ fromDay: "2026-11-21", toDay: "2026-11-24" }, "134"],
      [{ agentId: "ada", fromDay: "2026-11-21" }, "35"],
    ] as const)
      expect(await found(filter), JSON.stringify(filter)).toEqual([which, null]);
    expect(await found({ sessionId: bob.id })).toEqual(["14", null]);
    expect(await found({ sessionId: bob.id, toDay: "2026-11-21" })).toEqual(["1", null]);
  });

  test("page by page each comes once, also while new ones come", async () => {
    for (const filter of [{}, { sessionId: ada.id }, { agentId: "ada" }]) {
      const all = (await found(filter))[0];
      let [seen, next]: [string, bigint | null] = ["", 0n];
      while (next !== null) {
        const [some, then] = await found(filter, next, 2);
        seen += some;
        next = then as bigint | null;
      }
      expect(seen).toBe(all);
    }
    const [first, next] = await found({}, 0n, 3);
    await ledger().write(() => recordCharge(aCharge(ada, { cost: HUGE + 9n })));
    const [rest] = await found({}, next as bigint, 100);
    expect(`${first}${rest}`).toBe("013459");
    expect(await found({}, 6n)).toEqual(["", null]);
  });

  test("over a long way without a match, a page ends empty and says where to go on; over a pruned gap it does not", async () => {
    // As if 30,000 charges had been between and were pruned: only where there are any are they looked at.
    const later = Date.parse("2026-11-24T00:00:00Z");
    await ledger().write(() => raw(`update charge_rows set seq = seq + 30000 where occurred_at >= ${later}`));
    expect(await found({ fromDay: "2026-11-24" })).toEqual(["", 20_000n]);
    expect(await found({ fromDay: "2026-11-24" }, 20_000n)).toEqual(["45", null]);
    expect(await found({ userId: "u" })).toEqual(["1", 20_000n]);
    expect(await found({ sessionId: bob.id })).toEqual(["14", null]);
    expect(await found({}, 4n, 1)).toEqual(["4", 30_004n]);
    expect(await found({}, 1_000_000n)).toEqual(["", null]);
  });
}
