// What every engine must do with transactions: all or nothing, each for itself, and tables made once.
import { expect, test } from "vitest";
import { AstraError } from "../../../src/core/error.ts";
import { recordCharge } from "../../../src/ledger/charges.ts";
import type { Ledger } from "../../../src/ledger/ledger.ts";
import { listSessions } from "../../../src/ledger/session-lists.ts";
import type { Session } from "../../../src/ledger/session-row.ts";
import type { Work } from "../../../src/ledger/statement.ts";
import { insertStop } from "../../../src/ledger/stops.ts";
import { verifyLedger } from "../../../src/ledger/verify.ts";
import { START } from "../../world.ts";
import { type Engine, everything, raw } from "../engines.ts";
import { aCharge, aHold, aSession, held, seeded, WORKSPACE } from "../fixtures.ts";

/** Writes to every table, then fails. */
function* muchThen(session: Session, fail: () => never): Work<never> {
  yield* seeded(session);
  yield* held(session, aHold(session));
  yield* recordCharge(aCharge(session, { lines: [{ tool: "t", calls: 0n, cost: 5n }] }));
  yield* insertStop({
    id: `stp_${session.id}`,
    workspaceId: WORKSPACE,
    scope: "agent",
    scopeId: "ada",
    reason: "x",
    createdAt: START,
  });
  return fail();
}

const ours = (): never => {
  throw new AstraError("hold_not_found", "ours");
};
const theirs = (): never => {
  throw new RangeError("a bug");
};

export function transactionSteps(engine: Engine, ledger: () => Ledger): void {
  test("a new ledger is empty, and one opened again holds what it held", async () => {
    const { names, cost_breakdowns, ...before } = await ledger().read(everything);
    expect(Object.values(before).flat()).toEqual([]);
    expect(names).toEqual(['{"no":"0n","name":""}']);
    expect(cost_breakdowns).not.toEqual([]);
    const session = await ledger().write(() => seeded(aSession()));
    await ledger().write(() => recordCharge(aCharge(session)));
    if (!engine.again) return;
    const written = await ledger().read(everything);
    const again = await engine.again();
    expect(await again.read(everything)).toEqual(written);
    await again.write(() => recordCharge(aCharge(session)));
    expect((await again.read(verifyLedger)).charges).toBe(2n);
    await again.close();
  });

  test("work that throws writes nothing, whatever it throws and however much it wrote", async () => {
    const session = await ledger().write(() => seeded(aSession()));
    await ledger().write(() => recordCharge(aCharge(session)));
    const before = await ledger().read(everything);
    await expect(ledger().write(() => muchThen(aSession(), ours))).rejects.toMatchObject({ code: "hold_not_found" });
    await expect(ledger().write(() => muchThen(aSession(), theirs))).rejects.toThrow("a bug");
    await expect(ledger().write(() => raw("insert into nowhere values (1)"))).rejects.toThrow();
    await expect(ledger().write(() => seeded(session))).rejects.toThrow();
    expect(await ledger().read(everything)).toEqual(before);
    await ledger().write(() => recordCharge(aCharge(session)));
    expect((await ledger().read(verifyLedger)).differences).toEqual([]);
  });

  test("of many works at the same time those that throw fail alone", async () => {
    const sessions = Array.from({ length: 30 }, () => aSession());
    const outcomes = await Promise.allSettled(
      sessions.map((session, i) =>
        ledger().write(() =>
          i % 3 === 0 ? muchThen(session, ours) : i % 5 === 0 ? muchThen(session, theirs) : seeded(session),
        ),
      ),
    );
    const expected = sessions.filter((_, i) => i % 3 !== 0 && i % 5 !== 0).map((session) => session.id);
    const fulfilled = outcomes.flatMap((each) => (each.status === "fulfilled" ? [each.value.id] : []));
    expect(fulfilled).toEqual(expected);
    outcomes.forEach((each, i) => {
      if (each.status === "rejected") expect(String(each.reason)).toMatch(i % 3 === 0 ? /ours/ : /a bug/);
    });
    const found = await ledger().read(() => listSessions({ workspaceId: WORKSPACE, agentId: null, which: "all" }, 100));
    expect(found.map((session) => session.id).sort()).toEqual([...expected].sort());
    expect((await ledger().read(verifyLedger)).differences).toEqual([]);
  });

  test("works of one moment see each other's writes in the order they came", async () => {
    const counts = await Promise.all(
      Array.from({ length: 20 }, () =>
        ledger().write(function* () {
          yield* seeded(aSession());
          const [row] = yield* raw<{ n: bigint }>("select count(*) as n from sessions");
          return row?.n;
        }),
      ),
    );
    expect(counts).toEqual(Array.from({ length: 20 }, (_, i) => BigInt(i + 1)));
  });

  test("a reading work that throws leaves the ledger usable", async () => {
    await expect(
      ledger().read(function* (): Work<never> {
        yield* raw("select count(*) from charges");
        throw new RangeError("while reading");
      }),
    ).rejects.toThrow("while reading");
    await ledger().write(() => seeded(aSession()));
    expect(
      await ledger().read(() => listSessions({ workspaceId: WORKSPACE, agentId: null, which: "all" }, 10)),
    ).toHaveLength(1);
  });

  test("the tables refuse amounts below zero, unknown states and what is no whole number", async () => {
    const session = await ledger().write(() => seeded(aSession()));
    const before = await ledger().read(everything);
    await expect(ledger().write(() => recordCharge(aCharge(session, { cost: -1n })))).rejects.toThrow();
    const wrong = aCharge(session, { costSource: "guessed" as "exact" });
    await expect(ledger().write(() => recordCharge(wrong))).rejects.toThrow();
    const orphan = aCharge({ ...session, id: "ses_none" });
    await expect(ledger().write(() => recordCharge(orphan))).rejects.toThrow();
    for (const value of ["0.1", "'NaN'", "'abc'", "-1"]) {
      const set = `update sessions set cost_nano_usd = ${value}`;
      // Postgres rounds 0.1 to a whole number: nothing but a whole number is ever stored.
      if (value === "0.1" && engine.name.startsWith("Postgres")) continue;
      await expect(ledger().write(() => raw(set))).rejects.toThrow();
    }
    expect(await ledger().read(everything)).toEqual(before);
  });
}
