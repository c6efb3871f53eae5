// What `ledger verify` must see on every engine: each kind of tampering with what is derived, or with the facts below.
import { expect, test } from "vitest";
import { recordCharge } from "../../../src/ledger/charges.ts";
import type { Difference } from "../../../src/ledger/difference.ts";
import { endOpenSession } from "../../../src/ledger/executions.ts";
import { foldCosts } from "../../../src/ledger/fold.ts";
import type { Ledger } from "../../../src/ledger/ledger.ts";
import { verifyLedger } from "../../../src/ledger/verify.ts";
import { freeHold } from "../../../src/operations/expiry.ts";
import { START } from "../../world.ts";
import { raw } from "../engines.ts";
import { aCharge, aHold, anEnding, aSession, held, keyOf, seeded } from "../fixtures.ts";

type Kind = Difference["what"];

/** What somebody with an SQL shell might do, and what must be named then. */
const TAMPERINGS: readonly (readonly [what: string, sql: string, kinds: readonly Kind[]])[] = [
  ["spend is taken off a balance", "update balances set cost_spent = cost_spent - 1 where scope = 'team'", ["balance"]],
  [
    "tokens are added to a balance",
    "update balances set prompt_spent = prompt_spent + 1 where scope = 'task'",
    ["balance"],
  ],
  ["held money is wiped out", "update balances set cost_held = 0 where scope = 'agent'", ["balance"]],
  ["a balance is deleted", "delete from balances where scope = 'workspace' and window_kind = 'month'", ["balance"]],
  [
    "a balance is invented",
    "insert into balances values ('default', 'agent', 'eve', 'day', '2026-11-22', 1, 0, 0, 0, 0, 0, 0, 0)",
    ["balance"],
  ],
  [
    "a balance is moved to another day",
    "update balances set window_key = '2026-11-21' where scope = 'team'",
    ["balance"],
  ],
  [
    "a cell's cost is changed",
    "update cost_cells set cost_nano_usd = cost_nano_usd - 1 where tool_no = 0",
    ["cost", "sum"],
  ],
  ["a cell's tool calls are changed", "update cost_cells set tool_calls = 9 where tool_no > 0", ["cost", "sum"]],
  [
    "a cell is filed under another agent",
    "update cost_cells set agent_no = (select no from names where name = '594') where tool_no > 0",
    ["cost", "sum"],
  ],
  ["a cell is deleted", "delete from cost_cells where tool_no = 0", ["cost", "sum"]],
  ["a sum's tokens are changed", "update cost_sums set input_tokens = input_tokens + 1 where period < 999999", ["sum"]],
  ["the sums are deleted", "delete from cost_sums", ["sum"]],
  [
    "a sum is invented",
    "insert into cost_sums select book_no, of_agent_no, dimension, 202610, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0 from cost_sums limit 1",
    ["sum"],
  ],
  ["a session's total is changed", "update sessions set cost_nano_usd = 0 where agent_id = 'ada'", ["session"]],
  ["a session's count of errors is changed", "update sessions set errors = 5 where agent_id = 'ada'", ["session"]],
  [
    "a charge is made cheaper",
    "update charge_rows set cost_nano_usd = cost_nano_usd - 1 where key_hash is not null",
    ["balance", "cost", "session"],
  ],
  ["a charge is deleted", "delete from charge_rows where key_hash is not null", ["balance", "cost", "session"]],
  ["charges count for another agent", "update attributions set agent_no = 0", ["cost", "session"]],
  ["a charge is moved to another hour", "update charge_rows set hour = 2026112211", ["balance"]],
  ["a charge is moved to another month", "update charge_rows set hour = 2026102212", ["balance", "cost"]],
  ["a tool's part of a charge is changed", "update charge_tool_rows set cost_nano_usd = 1", ["cost"]],
  ["a tool's part of a charge is deleted", "delete from charge_tool_rows", ["cost"]],
  [
    "an open hold is closed behind the balances' back",
    "update holds set state = 'released' where state = 'held'",
    ["balance"],
  ],
  ["a closed hold is opened again", "update holds set state = 'held' where state = 'expired'", ["balance"]],
  ["an open hold is made smaller", "update holds set cost_nano_usd = 1 where state = 'held'", ["balance"]],
  [
    "a hold is called settled that no charge settled",
    "update holds set state = 'settled' where state = 'expired'",
    ["hold"],
  ],
  ["the charge that settled a hold is deleted", "update charge_rows set hold_id = null", ["hold"]],
  [
    "a session is moved to another team",
    "update sessions set team_id = 'others' where agent_id = 'ada'",
    ["balance", "session"],
  ],
  [
    "a window's score is changed",
    "update executions_by_window set score_ppm = 1 where window_kind = 'week'",
    ["execution"],
  ],
  ["an agent's month is deleted", "delete from executions_by_window where window_kind = 'month'", ["execution"]],
  [
    "executions are invented",
    "insert into executions_by_window values ('default', 'day', '2026-11-22', 'eve', 1, 1, 0, 0)",
    ["execution"],
  ],
  ["a success is called a failure", "update sessions set outcome = 'error' where agent_id = 'bob'", ["execution"]],
  ["an execution is made quicker", "update sessions set ended_at = opened_at where agent_id = 'bob'", ["execution"]],
  [
    "an execution is moved to another day",
    "update sessions set ended_hour = '2026-11-21T12' where agent_id = 'bob'",
    ["execution"],
  ],
];

export function verifySteps(ledger: () => Ledger): void {
  test("a ledger with all there can be is verified clean, and counted", async () => {
    await fill(ledger());
    const { charges, holds, balances, differences } = await ledger().read(verifyLedger);
    expect(differences).toEqual([]);
    expect({ charges, holds }).toEqual({ charges: 3n, holds: 1n });
    expect(balances).toBeGreaterThan(8n);
  });

  test.each(TAMPERINGS)("verify notices when %s", async (_, sql, kinds) => {
    await fill(ledger());
    await ledger().write(() => raw(sql));
    const { differences } = await ledger().read(verifyLedger);
    expect([...new Set(differences.map((each) => each.what))].sort()).toEqual([...kinds].sort());
    for (const difference of differences) expect(difference.stored).not.toBe(difference.computed);
  });

  test("a difference names the row, what is stored and what it should be", async () => {
    await fill(ledger());
    await ledger().write(() => raw("update balances set cost_spent = 7 where scope = 'team'"));
    const { differences } = await ledger().read(verifyLedger);
    expect(differences).toHaveLength(1);
    expect(differences[0]?.key).toBe("default: team blue day 2026-11-22");
    expect(differences[0]?.stored).toContain("spent 7 nano-dollars");
    expect(differences[0]?.computed).toContain("spent 3100000 nano-dollars");
  });
}

/** A parent and a child, three charges (one with tools, one that settled a hold), and a hold of each other state. */
async function fill(ledger: Ledger): Promise<void> {
  await ledger.write(function* () {
    const parent = yield* seeded(aSession({ teamId: "blue", taskId: "594" }));
    const child = yield* seeded(aSession({ parent, agentId: "bob", teamId: "blue", taskId: "594" }));
    yield* recordCharge(aCharge(parent, { key: keyOf("plain"), error: "failed" }));
    const lines = [{ tool: "browser", calls: 0n, cost: 100_000n }];
    yield* recordCharge(aCharge(child, { cost: 1_100_000n, lines }));
    yield* held(child, aHold(child));
    const settled = yield* held(parent, aHold(parent));
    yield* freeHold(settled, parent, "settled");
    yield* recordCharge(aCharge(parent, { holdId: settled.id }));
    const expired = yield* held(child, aHold(child));
    yield* freeHold(expired, child, "expired");
    yield* endOpenSession(child, anEnding({ atMs: START + 1 }));
    yield* foldCosts(parent.workspaceId);
  });
}
