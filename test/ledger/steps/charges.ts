// What every engine must do with charges: write the fact and all that is derived from it, once, or nothing at all.
import { expect, test } from "vitest";
import { balanceKeys, keyText } from "../../../src/core/balance-key.ts";
import { NO_USAGE } from "../../../src/core/usage.ts";
import type { BalanceRow } from "../../../src/ledger/balances.ts";
import { readBalances } from "../../../src/ledger/balances.ts";
import { chargeId, findChargeByKey, recordCharge } from "../../../src/ledger/charges.ts";
import type { Ledger } from "../../../src/ledger/ledger.ts";
import { findSession } from "../../../src/ledger/sessions.ts";
import { verifyLedger } from "../../../src/ledger/verify.ts";
import { START } from "../../world.ts";
import { raw } from "../engines.ts";
import { aCharge, amounts, aSession, HUGE, hourOf, keyOf, seeded, WORKSPACE } from "../fixtures.ts";

const byKey = (rows: readonly BalanceRow[]) => new Map(rows.map(([key, balance]) => [keyText(key), balance]));

export function chargeSteps(ledger: () => Ledger): void {
  test("a charge counts in every scope it belongs to, its ancestors' included", async () => {
    const parent = await ledger().write(() => seeded(aSession()));
    const session = await ledger().write(() =>
      seeded(aSession({ parent, agentId: "bob", teamId: "t", taskId: "594" })),
    );
    const charge = aCharge(session, {
      usage: {
        ...NO_USAGE,
        inputTokens: 1n,
        cacheReadTokens: 2n,
        cacheWriteTokens: 4n,
        outputTokens: 8n,
        toolCalls: 16n,
      },
      cost: HUGE,
    });
    const { balances, totals } = await ledger().write(() => recordCharge(charge));
    const spent = amounts(HUGE, { promptTokens: 7n, completionTokens: 8n, toolCalls: 16n });
    const keys = balanceKeys({ ...session, hour: charge.hour });
    expect(keys).toHaveLength(8); // two sessions, agent hour and day, task, team, workspace day and month
    expect([...byKey(balances).keys()].sort()).toEqual(keys.map(keyText).sort());
    for (const [, balance] of balances) expect(balance).toEqual({ spent, held: amounts(0n) });
    expect(byKey(await ledger().read(() => readBalances(WORKSPACE, keys)))).toEqual(byKey(balances));
    expect(totals).toMatchObject({ charges: 1n, cost: HUGE, inputTokens: 1n, toolCalls: 16n });
    expect((await ledger().read(() => findSession(WORKSPACE, parent.id)))?.totals.cost).toBe(0n);
    expect((await ledger().read(verifyLedger)).differences).toEqual([]);
  });

  test("the lines of a charge are parts of it, and rollups keep each tool's own part", async () => {
    const session = await ledger().write(() => seeded(aSession({ provider: "anthropic" })));
    const charge = aCharge(session, {
      tool: "planner",
      usage: { ...NO_USAGE, inputTokens: 10n, toolCalls: 6n },
      cost: 1_000n,
      lines: [
        { tool: "browser", calls: 2n, cost: 300n },
        { tool: "web_search", calls: 3n, cost: 600n },
      ],
    });
    await ledger().write(() => recordCharge(charge));
    const rows = await ledger().read(() =>
      raw(`select tool, charges, tool_calls, input_tokens, cost_nano_usd from costs_by_day order by tool`),
    );
    expect(rows).toEqual([
      { tool: "browser", charges: 0n, tool_calls: 2n, input_tokens: 0n, cost_nano_usd: 300n },
      { tool: "planner", charges: 1n, tool_calls: 1n, input_tokens: 10n, cost_nano_usd: 100n },
      { tool: "web_search", charges: 0n, tool_calls: 3n, input_tokens: 0n, cost_nano_usd: 600n },
    ]);
    expect((await ledger().read(verifyLedger)).differences).toEqual([]);
  });

  test("charges of different hours, days and months land in different windows of one session", async () => {
    const session = await ledger().write(() => seeded(aSession()));
    const instants = [
      "2026-11-22T12:59:59.999Z",
      "2026-11-22T13:00:00Z",
      "2026-11-23T00:00:00Z",
      "2026-12-01T00:00:00Z",
    ];
    for (const instant of instants) {
      const occurredAt = Date.parse(instant);
      await ledger().write(() => recordCharge(aCharge(session, { occurredAt, hour: hourOf(occurredAt), cost: 1n })));
    }
    const windows = await ledger().read(() =>
      raw(`select scope, window_kind, window_key, cost_spent from balances order by scope, window_kind, window_key`),
    );
    expect(windows.map((row) => [row.scope, row.window_kind, row.window_key, row.cost_spent].join(" "))).toEqual([
      "agent day 2026-11-22 2",
      "agent day 2026-11-23 1",
      "agent day 2026-12-01 1",
      "agent hour 2026-11-22T12 1",
      "agent hour 2026-11-22T13 1",
      "agent hour 2026-11-23T00 1",
      "agent hour 2026-12-01T00 1",
      "session session  4",
      "workspace day 2026-11-22 2",
      "workspace day 2026-11-23 1",
      "workspace day 2026-12-01 1",
      "workspace month 2026-11 3",
      "workspace month 2026-12 1",
    ]);
    expect(await ledger().read(() => raw("select day, cost_nano_usd from costs_by_day order by day"))).toHaveLength(3);
  });

  test("a charge is found by its session's key, and the same key books nothing a second time", async () => {
    const [session, other] = [aSession(), aSession()];
    await ledger().write(() => seeded(session));
    await ledger().write(() => seeded(other));
    const charge = aCharge(session, { key: keyOf("k"), costSource: "reported", late: "late" });
    await ledger().write(() => recordCharge(charge));
    await ledger().write(() => recordCharge(aCharge(other, { key: keyOf("k") })));
    expect(await ledger().read(() => findChargeByKey(session.id, keyOf("k").hash))).toEqual({
      id: chargeId(session.id, 1n),
      cost: charge.cost,
      costSource: "reported",
      late: "late",
      request: keyOf("k").request,
    });
    expect(await ledger().read(() => findChargeByKey(session.id, keyOf("other").hash))).toBeUndefined();
    await expect(ledger().write(() => recordCharge(aCharge(session, { key: keyOf("k") })))).rejects.toThrow();
    expect((await ledger().read(() => findSession(WORKSPACE, session.id)))?.totals.charges).toBe(1n);
    expect((await ledger().read(verifyLedger)).differences).toEqual([]);
  });

  test("two workspaces in one ledger never count in each other", async () => {
    for (const workspaceId of ["a", "b"]) {
      const session = await ledger().write(() => seeded(aSession({ workspaceId })));
      await ledger().write(() => recordCharge(aCharge(session, { occurredAt: START })));
    }
    const rows = await ledger().read(() => raw("select workspace_id, cost_spent from balances where scope = 'agent'"));
    expect(rows).toHaveLength(4);
    expect(new Set(rows.map((row) => row.cost_spent))).toEqual(new Set([1_000_000n]));
    expect((await ledger().read(verifyLedger)).differences).toEqual([]);
  });
}
