// What every engine must do with many charges at once: exactly what it does with one after the other.
import fc from "fast-check";
import { expect, test } from "vitest";
import { METERS } from "../../../src/core/metered.ts";
import { NO_USAGE } from "../../../src/core/usage.ts";
import { chargeId, type NewCharge, recordCharge, recordCharges } from "../../../src/ledger/charges.ts";
import { everything as allCosts, costTotals } from "../../../src/ledger/costs.ts";
import type { Ledger } from "../../../src/ledger/ledger.ts";
import type { Session } from "../../../src/ledger/session-row.ts";
import { verifyLedger } from "../../../src/ledger/verify.ts";
import { START } from "../../world.ts";
import { raw } from "../engines.ts";
import { aCharge, aSession, seeded } from "../fixtures.ts";

const line = fc.record({
  tool: fc.constantFrom("web_search", "Bash", "Read"),
  calls: fc.bigInt({ min: 0n, max: 3n }),
  cost: fc.bigInt({ min: 0n, max: 99n }),
});
const facts = fc.record({
  hoursAgo: fc.constantFrom(0, 1, 30, 800),
  model: fc.constantFrom("m1", "m2"),
  tool: fc.constantFrom(null, "planner"),
  meter: fc.constantFrom(...METERS),
  inputTokens: fc.bigInt({ min: 0n, max: 999n }),
  cost: fc.bigInt({ min: 0n, max: 999n }),
  error: fc.option(fc.constant("failed"), { freq: 3 }),
  lines: fc.uniqueArray(line, { selector: ({ tool }) => tool, maxLength: 3 }),
});
type Facts = typeof facts extends fc.Arbitrary<infer T> ? T : never;

const chargeOf = (session: Session, { hoursAgo, inputTokens, cost, lines, ...rest }: Facts): NewCharge =>
  aCharge(session, {
    ...rest,
    occurredAt: START - hoursAgo * 3_600_000,
    usage: { ...NO_USAGE, inputTokens, toolCalls: lines.reduce((sum, { calls }) => sum + calls, 0n) },
    cost: lines.reduce((sum, each) => sum + each.cost, cost),
    lines,
  });

/** A swarm's leaf in a workspace of its own. */
async function leafOf(ledger: Ledger, workspaceId: string): Promise<Session> {
  const parent = await ledger.write(() => seeded(aSession({ workspaceId, teamId: "t" })));
  return await ledger.write(() =>
    seeded(aSession({ workspaceId, parent, agentId: "bob", teamId: "t", taskId: "594" })),
  );
}

/** All that a workspace's charges come to, without the names that its own sessions have. */
async function outcomeOf(ledger: Ledger, { workspaceId, chain }: Session): Promise<string> {
  const of = `where workspace_id = '${workspaceId}'`;
  const rows = await ledger.read(function* () {
    const found: unknown[] = [];
    for (const table of ["charges", "costs_by_day", "balances", "sessions"])
      found.push(...(yield* raw(`select * from ${table} ${of}`)));
    found.push(...(yield* raw(`select t.* from charge_tools t join charges c on c.id = t.charge_id ${of}`)));
    return found as Record<string, unknown>[];
  });
  const texts = rows.map(({ seq: _, ...row }) =>
    JSON.stringify(row, (_, value) => (typeof value === "bigint" ? `${value}n` : value)),
  );
  const named = chain.reduce(
    (text, id, i) => text.replaceAll(id, `session-${i}`).replaceAll(chargeId(id, 0n).slice(0, -1), `charge-${i}-`),
    texts.sort().join("\n").replaceAll(workspaceId, "workspace"),
  );
  return named.split("\n").sort().join("\n");
}

export function manyChargesSteps(ledger: () => Ledger): void {
  test("many charges in one go come to the same as one after the other", async () => {
    let runs = 0;
    const property = fc.asyncProperty(fc.array(facts, { minLength: 1, maxLength: 12 }), async (all) => {
      runs += 1;
      const [once, singly] = [await leafOf(ledger(), `once-${runs}`), await leafOf(ledger(), `singly-${runs}`)];
      const answer = await ledger().write(() =>
        recordCharges(
          once,
          all.map((each) => chargeOf(once, each)),
        ),
      );
      let last = answer;
      for (const each of all) last = await ledger().write(() => recordCharge(chargeOf(singly, each)));
      expect(answer.totals).toEqual(last.totals);
      expect(answer.id).toBe(chargeId(once.id, BigInt(all.length)));
      expect(await outcomeOf(ledger(), once)).toBe(await outcomeOf(ledger(), singly));
    });
    await fc.assert(property, { numRuns: 15 });
    expect((await ledger().read(verifyLedger)).differences).toEqual([]);
  });

  test("many charges in one go fold when one of them has its turn, and each counts once", async () => {
    const session = await ledger().write(() => seeded(aSession()));
    const several = (count: number) =>
      Array.from({ length: count }, (_, i) =>
        aCharge(session, {
          cost: 3n,
          meter: "transcript",
          occurredAt: START - (i % 3) * 3_600_000,
          usage: { ...NO_USAGE, toolCalls: 1n },
          lines: [{ tool: "Bash", calls: 1n, cost: 1n }],
        }),
      );
    const folded = async () => (await ledger().read(() => raw("select folded, unfolded_lines from books")))[0];
    await ledger().write(() => recordCharges(session, several(1_000)));
    expect(await folded()).toEqual({ folded: 0n, unfolded_lines: 1_000n });
    await ledger().write(() => recordCharges(session, several(100)));
    expect(await folded()).toEqual({ folded: 1_100n, unfolded_lines: 0n });
    await ledger().write(() => recordCharges(session, several(7)));
    expect(
      await ledger().read(() => costTotals(allCosts(session.workspaceId, "2000-01-01", "9999-12-31"))),
    ).toMatchObject({
      charges: 1_107n,
      tool_calls: 1_107n,
      cost_nano_usd: 3_321n,
      metered_nano_usd: 3_321n,
    });
    expect((await ledger().read(verifyLedger)).differences).toEqual([]);
  });
}
