// get_costs: sums that agree with every charge, for any range, filter and grouping.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nanoFromUsd, usdFromNano } from "../../src/core/money.ts";
import { windowAt } from "../../src/core/window.ts";
import { DIMENSIONS } from "../../src/ledger/cost-shape.ts";
import { foldCosts } from "../../src/ledger/fold.ts";
import { raw } from "../ledger/engines.ts";
import { type Answer, OPERATOR, WIDE, type World, worldOf } from "../world.ts";
import { aResponse, metered } from "./metering.ts";
import { book, charge, filters, matching, POLICY, type Row, ranges } from "./random-charges.ts";
import { faultText } from "./witness.ts";

const at = (text: string): number => Date.parse(text);

/** A dollar a day at noon UTC. */
async function daily(days: readonly string[], policy: unknown = { hardCaps: WIDE }): Promise<World> {
  const world = await worldOf({ policy });
  for (const day of days) {
    world.at(at(`${day}T12:00:00Z`));
    const { session_id } = await world.open();
    await world.report({ session_id, cost_usd: 1 });
  }
  return world;
}

describe("the range", () => {
  const DAYS = ["2025-12-31", "2026-08-31", "2026-09-01", "2026-10-31", "2026-11-01", "2026-11-16", "2026-11-22"];

  test.each([
    [{}, 5, "2026-09-01", "2026-11-30"],
    [{ months: 1 }, 3, "2026-11-01", "2026-11-30"],
    [{ months: 4 }, 6, "2026-08-01", "2026-11-30"],
    [{ months: 12 }, 7, "2025-12-01", "2026-11-30"],
    [{ days: 1 }, 1, "2026-11-22", "2026-11-22"],
    [{ days: 7 }, 2, "2026-11-16", "2026-11-22"],
    [{ days: 7, months: 12 }, 2, "2026-11-16", "2026-11-22"],
    [{ start_date: "2026-09-01", end_date: "2026-10-31" }, 2, "2026-09-01", "2026-10-31"],
    [{ start_date: "2026-09-02", end_date: "2026-10-30" }, 0, "2026-09-02", "2026-10-30"],
    [{ start_date: "2026-11-01" }, 3, "2026-11-01", "9999-12-31"],
    [{ end_date: "2026-08-31", days: 7 }, 2, "0000-01-01", "2026-08-31"],
    [{ start_date: "2026-11-22", end_date: "2026-11-22" }, 1, "2026-11-22", "2026-11-22"],
  ])("%j has %d of the charges, and its sessions", async (range, count, start_date, end_date) => {
    const world = await daily(DAYS);
    const answer = await world.costs(range);
    expect(answer).toMatchObject({ total_cost_usd: count, charges: count, start_date, end_date, sessions_left_out: 0 });
    expect(answer.sessions).toHaveLength(count);
  });

  test("is in the zone's days: an evening's spend there is of that day, though UTC is past midnight", async () => {
    const world = await worldOf({ policy: { hardCaps: WIDE, workspace: { timezone: "America/New_York" } } });
    world.at(at("2026-11-30T23:30:00-05:00"));
    await world.report({ session_id: (await world.open()).session_id, cost_usd: 1 });
    expect(await world.costs({ months: 1 })).toMatchObject({ end_date: "2026-11-30", total_cost_usd: 1 });
    expect(await world.costs({ days: 1 })).toMatchObject({ start_date: "2026-11-30", total_cost_usd: 1 });
    world.pass(3_600_000);
    expect(await world.costs({ months: 1 })).toMatchObject({ start_date: "2026-12-01", total_cost_usd: 0 });
  });

  test.each(["Pacific/Auckland", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kolkata", "UTC"])(
    "lists the sessions of exactly its days in %s",
    async (timezone) => {
      const world = await worldOf({
        policy: { hardCaps: WIDE, workspace: { timezone } },
        start: at("2026-11-20T00:30:00Z"),
      });
      const opened = new Map<string, number>();
      for (let hour = 0; hour < 72; hour++) {
        const day = windowAt("day", world.context.now(), timezone).key;
        opened.set(day, (opened.get(day) ?? 0) + 1);
        await world.open();
        world.pass(3_600_000);
      }
      for (const [day, count] of opened) {
        const answer = await world.costs({ start_date: day, end_date: day, limit: 500 });
        expect(answer.sessions, day).toHaveLength(count);
      }
    },
  );

  test("must end after it begins, on days that there are", async () => {
    const world = await worldOf();
    const fault = (args: Record<string, unknown>) => faultText(world.costs(args));
    expect(await fault({ start_date: "2026-03-01", end_date: "2026-02-28" })).toBe(
      "invalid_input: start_date expected a date not after end_date",
    );
    const date = "expected a date of the calendar, YYYY-MM-DD";
    expect(await fault({ start_date: "2026-02-30" })).toBe(`invalid_input: start_date ${date}`);
    expect(await fault({ end_date: "2026-2-3" })).toBe(`invalid_input: end_date ${date}`);
    expect(await fault({ end_date: "yesterday" })).toBe(`invalid_input: end_date ${date}`);
    expect(await fault({ months: 0 })).toBe("invalid_input: months expected at least 1");
    expect(await fault({ months: 1.5 })).toBe("invalid_input: months expected a whole number");
    expect(await fault({ days: 1e9 })).toBe("invalid_input: days expected at most 3660");
    expect(await fault({ group_by: ["agent", "secret"] })).toBe(
      "invalid_input: group_by.1 expected one of agent, team, task, user, role, provider, model, tool, day, month",
    );
  });
});

describe("the sessions", () => {
  test("are the newest first, with a count of those left out", async () => {
    const world = await worldOf({ policy: { hardCaps: WIDE, tasks: [{ id: "fix", title: "Fix login bug" }] } });
    const one = await world.open({ agent_id: "eng-1", task_id: "fix" });
    await world.report({ session_id: one.session_id, cost_usd: 1.85, input_tokens: 50_000, output_tokens: 5_000 });
    world.pass(12 * 60_000);
    await world.end({ session_id: one.session_id });
    world.pass(1);
    await world.open({ agent_id: "eng-2", task_id: "unlisted" });
    world.pass(60_000);
    const { sessions, sessions_left_out } = await world.costs();
    expect(sessions).toEqual([
      {
        agent_name: "eng-2",
        task_id: "unlisted",
        task_title: null,
        status: "open",
        cost_usd: 0,
        tokens: 0,
        duration_minutes: 1,
      },
      {
        agent_name: "eng-1",
        task_id: "fix",
        task_title: "Fix login bug",
        status: "success",
        cost_usd: 1.85,
        tokens: 55_000,
        duration_minutes: 12,
      },
    ]);
    expect(sessions_left_out).toBe(0);
    expect(await world.costs({ limit: 1 })).toMatchObject({
      sessions: [{ agent_name: "eng-2" }],
      sessions_left_out: 1,
    });
    expect(await world.costs({ limit: 0 })).toMatchObject({ sessions: [], sessions_left_out: 2, total_cost_usd: 1.85 });
  });

  test("carry their handles for operators only", async () => {
    const world = await worldOf();
    const { session_id } = await world.open();
    expect((await world.costs({}, OPERATOR)).sessions).toMatchObject([{ session_id }]);
    expect(JSON.stringify(await world.costs())).not.toContain(session_id);
    expect(JSON.stringify(await world.costs({ session_id }))).not.toContain(session_id);
  });

  test("one alone is what its own charges say", async () => {
    const world = await worldOf();
    const [one, other] = [await world.open(), await world.open()];
    await world.report({ session_id: one.session_id, cost_usd: 1, tool_calls: [{ tool: "web", cost_usd: 0.5 }] });
    await world.report({ session_id: other.session_id, cost_usd: 7 });
    const answer = await world.costs({ session_id: one.session_id, group_by: ["day", "model"] });
    expect(answer).toMatchObject({
      total_cost_usd: 1.5,
      charges: 1,
      by_tool: { llm: 1, web: 0.5 },
      by_day: [{ day: "2026-11-22", cost_usd: 1.5 }],
      by_model: { "(none)": 1.5 },
      sessions: [{ cost_usd: 1.5 }],
    });
    expect(await faultText(world.costs({ session_id: "session_999999" }))).toBe("session_not_found:");
  });
});

describe("breakdowns", () => {
  test("carry any id that a caller may choose, __proto__ and constructor too", async () => {
    const world = await worldOf();
    for (const id of ["__proto__", "constructor", "toString", "größe", "594"]) {
      const { session_id } = await world.open({ agent_id: id, provider: id, model: id });
      await world.report({ session_id, cost_usd: 0.25, tool: id });
    }
    const answer = JSON.parse(JSON.stringify(await world.costs({ group_by: ["model"] })));
    for (const breakdown of [answer.by_agent, answer.by_provider, answer.by_tool, answer.by_model]) {
      const byKey = new Map(Object.entries(breakdown));
      expect(byKey.get("__proto__")).toBe(0.25);
      expect([...byKey.values()]).toEqual([0.25, 0.25, 0.25, 0.25, 0.25]);
    }
  });

  function grouped(rows: readonly Row[], dimension: keyof Row): Record<string, number> {
    const sums = new Map<string, bigint>();
    for (const row of rows) sums.set(String(row[dimension]), (sums.get(String(row[dimension])) ?? 0n) + row.nano);
    return Object.fromEntries([...sums].map(([key, nano]) => [key, usdFromNano(nano)]));
  }

  function told(answer: Answer, dimension: string): Record<string, number> {
    const breakdown = answer[`by_${dimension}`];
    if (!Array.isArray(breakdown)) return breakdown as Record<string, number>;
    return Object.fromEntries(breakdown.map((each) => [each[dimension], each.cost_usd]));
  }

  test("agree with the charges one by one and sum exactly to the total, for any filter, range and grouping", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(charge, { minLength: 1, maxLength: 12 }),
        filters,
        ranges,
        async (charges, filter, range) => {
          const world = await worldOf({ policy: POLICY });
          const rows: Row[] = [];
          for (const each of charges.toSorted((a, b) => a.hours - b.hours)) rows.push(...(await book(world, each)));
          world.at(at("2026-12-10T12:00:00-05:00"));
          const answer = await world.costs({ ...filter, ...range, group_by: [...DIMENSIONS] });
          const counted = matching(rows, filter, answer);
          const total = counted.reduce((sum, row) => sum + row.nano, 0n);
          expect(answer.total_cost_usd).toBe(usdFromNano(total));
          for (const dimension of DIMENSIONS) {
            const breakdown = told(answer, dimension);
            expect(breakdown, dimension).toEqual(grouped(counted, dimension));
            const sum = Object.values(breakdown).reduce((nano, cost) => nano + nanoFromUsd(cost), 0n);
            expect(sum, dimension).toBe(total);
          }
          await world.ledger.close();
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("many names", () => {
  test("are told up to the 500 dearest, the others in one sum, and fold before their time", async () => {
    const world = await worldOf({ policy: { hardCaps: WIDE } });
    const { session_id } = await world.open();
    for (let i = 0; i < 12; i++)
      await world.report({
        session_id,
        tool_calls: Array.from({ length: 200 }, (_, k) => ({ tool: `t${i * 200 + k}`, cost_usd: 0.001 })),
      });
    const [book] = await world.ledger.read(() => raw("select folded, unfolded_lines from books"));
    expect(book).toEqual({ folded: 11n, unfolded_lines: 200n });
    const answer = await world.costs();
    const tools = Object.values(answer.by_tool as Record<string, number>).map(nanoFromUsd);
    expect(tools).toHaveLength(501);
    expect(tools.reduce((sum, nano) => sum + nano, 0n)).toBe(nanoFromUsd(answer.total_cost_usd as number));
    expect((answer.by_tool as Record<string, number>)["(others)"]).toBe(1.9);
    expect((await world.call("verify_ledger")).ok).toBe(true);
  });
});

test("a breakdown by day is of days alone, from the beginning of time", async () => {
  const world = await daily(["2026-10-31", "2026-11-01"]);
  await world.ledger.write(() => foldCosts("default"));
  for (const agent of [{}, { agent_id: "ada" }])
    expect((await world.costs({ end_date: "2026-12-31", group_by: ["day"], ...agent })).by_day).toEqual([
      { day: "2026-10-31", cost_usd: 1 },
      { day: "2026-11-01", cost_usd: 1 },
    ]);
});

test("late charges are counted, and whose they are is named", async () => {
  const world = await daily(["2026-11-01"]);
  const { session_id } = await world.open({ agent_id: "bob" });
  await world.end({ session_id });
  await world.report({ session_id, cost_usd: 1 });
  expect(await world.costs()).toMatchObject({ late_charges: 1, late_agents: ["bob"] });
});

test.each(["before", "after"])(
  "what only agents say is told apart from what a meter found, %s folding",
  async (when) => {
    const world = await worldOf({ policy: { hardCaps: WIDE, agents: [{ id: "ada" }] } });
    const { session_id } = await world.open({ agent_id: "bob" });
    await world.report({ session_id, cost_usd: 1.25 });
    await world.report({ session_id, cost_usd: 3, response_id: "msg_1" });
    await metered(world, "transcript", aResponse("msg_1"), aResponse("msg_2", { webSearches: 1 }));
    if (when === "after") await world.ledger.write(() => foldCosts("default"));
    const parts = { total_cost_usd: 1.264, metered_cost_usd: 0.014, self_reported_cost_usd: 1.25 };
    expect(await world.costs()).toMatchObject(parts);
    expect(await world.costs({ agent_id: "bob" })).toMatchObject({ metered_cost_usd: 0, self_reported_cost_usd: 1.25 });
    expect(await world.costs({ tool: "web_search" })).toMatchObject({
      metered_cost_usd: 0.01,
      self_reported_cost_usd: 0,
    });
  },
);

describe("a forecast", () => {
  const POLICY = {
    hardCaps: WIDE,
    workspace: { dailyCostLimitUsd: 10, monthlyCostLimitUsd: 1_000 },
    teams: [{ id: "t", dailyCostLimitUsd: 3 }],
    agents: [{ id: "ada", team: "t", dailyCostLimitUsd: 2.5 }, { id: "bob" }],
  };

  async function spent() {
    const world = await worldOf({ policy: POLICY, start: at("2026-11-22T06:00:00Z") });
    for (const [agent_id, cost_usd] of [
      ["ada", 1],
      ["bob", 1.5],
    ])
      await world.report({ session_id: (await world.open({ agent_id })).session_id, cost_usd });
    return world;
  }

  test("carries the workspace's pace to the end of day and month, and says which caps it meets when", async () => {
    const { forecast } = await (await spent()).costs();
    expect(forecast).toEqual({
      day: { spent_usd: 2.5, projected_usd: 10, ends_at: "2026-11-23T00:00:00.000Z" },
      month: { spent_usd: 2.5, projected_usd: 3.52, ends_at: "2026-12-01T00:00:00.000Z" },
      caps: [
        cap("workspace", "default", "day", 10, 2.5, null),
        cap("workspace", "default", "month", 1_000, 2.5, null),
        cap("team", "t", "day", 3, 1, "2026-11-22T18:00:00.000Z"),
      ],
    });
  });

  const cap = (
    scope: string,
    scope_id: string,
    window: string,
    limit_usd: number,
    spent_usd: number,
    reached_at: string | null,
  ) => ({
    scope,
    scope_id,
    window,
    limit_usd,
    spent_usd,
    reached_at,
  });

  test("is about one agent or one team where that is asked, and about no other question", async () => {
    const world = await spent();
    expect(await world.costs({ agent_id: "ada" })).toMatchObject({
      forecast: {
        day: { spent_usd: 1, projected_usd: 4 },
        caps: expect.arrayContaining([cap("agent", "ada", "day", 2.5, 1, "2026-11-22T15:00:00.000Z")]),
      },
    });
    expect(await world.costs({ team_id: "t" })).toMatchObject({
      forecast: { day: { spent_usd: 1 }, month: { spent_usd: 1 } },
    });
    for (const question of [{ user_id: "u" }, { model: "m" }, { tool: "web" }, { agent_id: "ada", team_id: "t" }])
      expect((await world.costs(question)).forecast).toBeNull();
  });
});

describe("the tree of a session", () => {
  test("says what each cost itself and with its descendants, parents before children", async () => {
    const world = await worldOf({ policy: { hardCaps: WIDE } });
    const top = await world.open({ agent_id: "lead" });
    const ids = [top.session_id];
    for (const [agent_id, parent] of [
      ["kid", 0],
      ["grandkid", 1],
      ["other", 0],
    ] as const)
      ids.push((await world.open({ agent_id, parent_session_id: ids[parent] })).session_id);
    for (const [i, session_id] of ids.entries()) await world.report({ session_id, cost_usd: 2 ** i });
    const line = (agent_name: string, depth: number, cost_usd: number, tree_cost_usd: number) => ({
      agent_name,
      depth,
      status: "open",
      cost_usd,
      tree_cost_usd,
    });
    const lines = [line("lead", 0, 1, 15), line("kid", 1, 2, 6), line("grandkid", 2, 4, 4), line("other", 1, 8, 8)];
    expect((await world.costs({ session_id: ids[0] })).tree).toEqual(lines);
    expect((await world.costs({ session_id: ids[1] })).tree).toEqual([line("kid", 0, 2, 6), line("grandkid", 1, 4, 4)]);
    const told = (await world.costs({ session_id: ids[0] }, OPERATOR)).tree as { session_id: string }[];
    expect(told.map(({ session_id }) => session_id)).toEqual(ids);
    expect(await world.costs()).not.toHaveProperty("tree");
  });
});
