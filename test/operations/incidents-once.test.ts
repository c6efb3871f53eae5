// Over random work: an ordinary day raises nothing, and what is raised is raised once, with one message for each webhook.
import fc from "fast-check";
import { expect, test } from "vitest";
import { OPERATOR, WIDE, type World, worldOf } from "../world.ts";
import { isClean, rowsOf } from "./witness.ts";

const CAPS = { ...WIDE, maxTotalTokens: 1e9, maxPromptTokens: 1e9, maxCompletionTokens: 1e9 };
const TYPES = ["config", "bugfix", "small_feature", "large_feature"] as const;

test("ordinary sessions raise nothing, warn of nothing and stop nothing, even where every kind would stop", async () => {
  const rules = [
    "taskRedFlag",
    "teamDayRedFlag",
    "tokenSpike",
    "outputHeavy",
    "duplicateWork",
    "outsideHours",
    "capSoon",
  ];
  /** One report of a coding agent: a growing cached context, some new input, less output, an error now and then. */
  const step = fc.record({
    pauseMs: fc.integer({ min: 3_000, max: 90_000 }),
    input_tokens: fc.integer({ min: 500, max: 6_000 }),
    cache_read_tokens: fc.integer({ min: 0, max: 150_000 }),
    output_tokens: fc.integer({ min: 20, max: 2_500 }),
    error: fc.option(fc.constantFrom("test failed", "timeout", "no such file"), { freq: 6, nil: undefined }),
  });
  const work = fc.record({
    type: fc.constantFrom(...TYPES),
    agent_id: fc.constantFrom("ada", "bob", "eve"),
    steps: fc.array(step, { minLength: 1, maxLength: 40 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(work, { minLength: 1, maxLength: 4 }), async (all) => {
      const world = await worldOf({
        policy: {
          hardCaps: CAPS,
          workspace: { hours: { days: ["sun"], from: "09:00", to: "23:00" } },
          teams: [{ id: "red", dailyCostLimitUsd: 40 }],
          agents: ["ada", "bob", "eve"].map((id) => ({ id, team: "red" })),
          tasks: all.map(({ type }, i) => ({ id: `t${i}`, task_type: type })),
          incidents: Object.fromEntries(rules.map((rule) => [rule, { stop: true }])),
        },
      });
      for (const [i, { agent_id, steps }] of all.entries()) {
        const { session_id } = await world.open({ agent_id, task_id: `t${i}` });
        for (const { pauseMs, error, ...usage } of steps) {
          world.pass(pauseMs);
          const cost_usd = 0.48 / steps.length;
          const { verdict } = await world.report({ session_id, ...usage, cost_usd, ...(error && { error }) });
          expect([verdict.decision, verdict.message]).toEqual(["allow", expect.stringMatching(/^Within budget/)]);
        }
        await world.end({ session_id });
      }
      const { incidents, stops, webhook_deliveries } = await rowsOf(world.ledger);
      expect([incidents, stops, webhook_deliveries]).toEqual([[], [], []]);
      await world.ledger.close();
    }),
    { numRuns: 25 },
  );
});

type Row = Record<string, string | bigint | null>;

async function storm(world: World, reports: readonly { who: number; cost: number; output: number }[]): Promise<void> {
  const sessions = await Promise.all(
    ["ada", "bob", "eve"].map((agent_id) => world.open({ agent_id, task_id: "fix" }).then((each) => each.session_id)),
  );
  const send = ({ who, cost, output }: (typeof reports)[number]) =>
    world.report({
      session_id: sessions[who % 3],
      cost_usd: cost,
      input_tokens: 100,
      output_tokens: output,
      error: "same",
    });
  // Half of them at the same time.
  await Promise.all(reports.slice(0, reports.length / 2).map(send));
  for (const each of reports.slice(reports.length / 2)) {
    world.pass(20_000);
    await send(each);
  }
}

test("whatever is raised is raised once for its window, with one message for each webhook that wants it", async () => {
  const one = fc.record({
    who: fc.nat(2),
    cost: fc.constantFrom(0, 0.4, 3, 60),
    output: fc.constantFrom(0, 900, 40_000),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(one, { minLength: 4, maxLength: 30 }), fc.boolean(), async (reports, stop) => {
      const world = await worldOf({
        policy: {
          hardCaps: CAPS,
          workspace: { dailyCostLimitUsd: 500, hours: { days: ["mon"], from: "09:00", to: "17:00" } },
          teams: [{ id: "red" }],
          agents: [{ id: "ada", team: "red" }, { id: "bob", team: "red" }, { id: "eve" }],
          tasks: [{ id: "fix", task_type: "bugfix" }],
          incidents: { taskRedFlag: { stop }, outputHeavy: { stop } },
          webhooks: [
            { id: "all", url: "https://example.invalid/a", secretEnv: "A_SECRET" },
            { id: "flags", url: "https://example.invalid/b", secretEnv: "B_SECRET", kinds: ["task_red_flag"] },
          ],
        },
      });
      await storm(world, reports);
      const rows = (await rowsOf(world.ledger)) as Record<string, readonly Row[]>;
      const incidents = rows.incidents ?? [];
      const keys = incidents.map(({ kind, scope, scope_id, window_key }) =>
        [kind, scope, scope_id, window_key].join(" "),
      );
      expect(new Set(keys).size).toBe(keys.length);
      const flags = incidents.filter(({ kind }) => kind === "task_red_flag");
      const messages = (rows.webhook_deliveries ?? []).map(
        ({ webhook_id, incident_id }) => `${webhook_id} ${incident_id}`,
      );
      const wanted = [...incidents.map(({ id }) => `all ${id}`), ...flags.map(({ id }) => `flags ${id}`)];
      expect([...messages].sort()).toEqual([...wanted].sort());
      const spent = reports.reduce((sum, { cost }) => sum + cost, 0);
      expect(flags.length).toBe(spent > 5 ? 1 : 0);
      const stopped = incidents.flatMap(({ stop_id }) => (stop_id === null ? [] : [stop_id]));
      expect((rows.stops ?? []).map(({ id }) => id).sort()).toEqual([...stopped].sort());
      if (!stop) expect(stopped).toEqual([]);
      expect(await isClean(world)).toBe(true);
      expect(await world.call("verify_audit", {}, OPERATOR)).toMatchObject({ ok: true });
      await world.ledger.close();
    }),
    { numRuns: 40 },
  );
});
