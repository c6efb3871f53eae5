// The leaderboard: its windows in any zone, each order with its ties, its bounds; and an agent's hours, empty ones too.
import { describe, expect, test } from "vitest";
import { WIDE, type World, worldOf } from "../world.ts";
import { faultText, isClean } from "./witness.ts";

type Line = Record<string, unknown>;
type Board = { agents: Line[] } & Line;

const at = (text: string) => Date.parse(text);
const worldIn = (timezone: string, extra: object = {}) =>
  worldOf({ policy: { workspace: { timezone }, hardCaps: WIDE, ...extra } });
const board = async (of: World, args: Line = {}) => (await of.call("leaderboard", args)) as unknown as Board;
const ids = ({ agents }: Board) => agents.map((each) => each.agent_id);

/** Opens, reports and ends a session at an instant. */
async function work(of: World, when: string, agent_id: string, report: Line = {}, status = "success"): Promise<string> {
  of.at(at(when));
  const { session_id } = await of.open({ agent_id });
  await of.report({ session_id, cost_usd: 0.01, ...report });
  await of.end({ session_id, status });
  return session_id;
}

describe("the windows", () => {
  const zones = [
    // Sunday evening in New York is Monday in UTC.
    ["America/New_York", "2026-11-23T03:00Z", "2026-11-22", ["2026-11-16", "2026-11-22"], ["2026-11-01", "2026-11-30"]],
    ["UTC", "2026-11-23T03:00Z", "2026-11-23", ["2026-11-23", "2026-11-29"], ["2026-11-01", "2026-11-30"]],
    [
      "Pacific/Kiritimati",
      "2026-12-31T12:00Z",
      "2027-01-01",
      ["2026-12-28", "2027-01-03"],
      ["2027-01-01", "2027-01-31"],
    ],
    ["Europe/Berlin", "2026-10-25T12:00Z", "2026-10-25", ["2026-10-19", "2026-10-25"], ["2026-10-01", "2026-10-31"]],
  ] as const;
  test.each(zones)("in %s at %s are the calendar's", async (zone, now, day, week, month) => {
    const of = await worldIn(zone);
    of.at(at(now));
    const days = async (period: string) => {
      const { start_date, end_date } = await board(of, { period });
      return [start_date, end_date];
    };
    expect(await days("day")).toEqual([day, day]);
    expect(await days("week")).toEqual(week);
    expect(await days("month")).toEqual(month);
    expect(await board(of)).toMatchObject({ period: "month", sort: "cost", workspace_id: "default" });
  });

  test("begin and end at local midnight, in which daylight saving makes 23 and 25 hours", async () => {
    const of = await worldIn("Europe/Berlin");
    // The day of 25 hours: 2026-10-24T22:00Z to 2026-10-25T23:00Z.
    await work(of, "2026-10-24T21:59:59.999Z", "before");
    await work(of, "2026-10-24T22:00:00.000Z", "first");
    await work(of, "2026-10-25T00:30:00.000Z", "once");
    await work(of, "2026-10-25T01:30:00.000Z", "twice");
    await work(of, "2026-10-25T22:59:59.999Z", "last");
    expect(ids(await board(of, { period: "day" }))).toEqual(["first", "last", "once", "twice"]);
    await work(of, "2026-10-25T23:00:00.000Z", "after");
    expect(ids(await board(of, { period: "day" }))).toEqual(["after"]);
    // The week ended with the day.
    expect(ids(await board(of, { period: "week" }))).toEqual(["after"]);
    expect(ids(await board(of, { period: "month" }))).toEqual(["after", "before", "first", "last", "once", "twice"]);
    of.at(at("2026-11-01T00:00:00Z"));
    expect(ids(await board(of))).toEqual([]);
    expect(await isClean(of)).toBe(true);
  });

  test("count a charge by its own time, and an execution by its end", async () => {
    const of = await worldIn("UTC");
    of.at(at("2026-11-22T23:59Z"));
    const { session_id } = await of.open({ agent_id: "ada" });
    await of.report({ session_id, cost_usd: 0.25 });
    of.at(at("2026-11-23T00:01Z"));
    await of.end({ session_id });
    const today = (await board(of, { period: "day" })).agents;
    expect(today).toMatchObject([{ agent_id: "ada", cost_usd: 0, charges: 0, executions: 1, success_rate: 1 }]);
    of.at(at("2026-11-22T23:59:30Z"));
    const { agents } = await board(of, { period: "day" });
    expect(agents).toMatchObject([{ cost_usd: 0.25, charges: 1, executions: 0, success_rate: null, fitness: null }]);
  });
});

describe("the order", () => {
  /** Four agents that each are first by something. */
  async function four(): Promise<World> {
    const of = await worldIn("UTC");
    await work(of, "2026-11-22T10:00Z", "dear", { cost_usd: 5 }, "error");
    await work(of, "2026-11-22T10:00Z", "wordy", { cost_usd: 0.1, input_tokens: 9_000, cache_read_tokens: 1_000 });
    for (let i = 0; i < 3; i++) await work(of, "2026-11-22T10:00Z", "busy", {}, i === 0 ? "error" : "success");
    for (let i = 0; i < 2; i++) await work(of, "2026-11-22T10:00Z", "able", { cost_usd: 0 });
    const { session_id } = await of.open({ agent_id: "open" });
    await of.report({ session_id, cost_usd: 0.05 });
    return of;
  }

  test.each([
    ["cost", ["dear", "wordy", "open", "busy", "able"]],
    ["tokens", ["wordy", "able", "busy", "dear", "open"]],
    ["executions", ["busy", "able", "dear", "wordy", "open"]],
    ["success", ["able", "wordy", "busy", "dear", "open"]],
    ["fitness", ["able", "wordy", "busy", "dear", "open"]],
  ])("by %s", async (sort, order) => {
    const of = await four();
    const found = await board(of, { sort });
    expect(ids(found)).toEqual(order);
    expect(found.agents.map((each) => each.rank)).toEqual([1, 2, 3, 4, 5]);
    expect(found.sort).toBe(sort);
  });

  test("has every number of an agent beside it", async () => {
    const of = await four();
    const { agents } = await board(of, { sort: "executions", limit: 1 });
    expect(agents).toEqual([
      {
        rank: 1,
        agent_id: "busy",
        cost_usd: 0.03,
        charges: 3,
        tokens: 0,
        input_tokens: 0,
        output_tokens: 0,
        cache_read_tokens: 0,
        cache_write_tokens: 0,
        tool_calls: 0,
        executions: 3,
        successes: 2,
        success_rate: 0.666666,
        latency_mean_ms: 0,
        fitness: 0.6,
      },
    ]);
  });

  test.each(["cost", "tokens", "executions", "success", "fitness"])(
    "by %s is that of the ids among equals, always",
    async (sort) => {
      const of = await worldIn("UTC");
      for (const agent of ["b", "B", "a10", "a9", "ä", "_"]) await work(of, "2026-11-22T10:00Z", agent);
      for (let i = 0; i < 3; i++) expect(ids(await board(of, { sort }))).toEqual(["B", "_", "a10", "a9", "b", "ä"]);
    },
  );

  test("by success rate is by what is shown: one of one is as good as ten of ten", async () => {
    const of = await worldIn("UTC");
    for (let i = 0; i < 10; i++) await work(of, "2026-11-22T10:00Z", "zoe");
    await work(of, "2026-11-22T10:00Z", "ada");
    expect(ids(await board(of, { sort: "success" }))).toEqual(["ada", "zoe"]);
    // Fitness trusts ten more than one.
    expect(ids(await board(of, { sort: "fitness" }))).toEqual(["zoe", "ada"]);
  });
});

describe("the bounds", () => {
  test("are 20 agents unless asked, 100 at most, and it is told how many are left out", async () => {
    const of = await worldIn("UTC");
    for (let i = 0; i < 103; i++) await work(of, "2026-11-22T10:00Z", `agent-${String(i).padStart(3, "0")}`);
    const usual = await board(of);
    expect([usual.agents.length, usual.agents_left_out]).toEqual([20, 83]);
    const most = await board(of, { limit: 100 });
    expect([most.agents.length, most.agents_left_out, most.agents.at(-1)?.agent_id]).toEqual([100, 3, "agent-099"]);
    expect(await faultText(board(of, { limit: 101 }))).toBe("invalid_input: limit expected at most 100");
    expect(await faultText(board(of, { limit: 0 }))).toBe("invalid_input: limit expected at least 1");
    expect(await faultText(board(of, { period: "year" }))).toBe(
      "invalid_input: period expected one of day, week, month",
    );
    expect(await faultText(board(of, { sort: "charm" }))).toMatch(/^invalid_input: sort expected one of cost, tokens/);
  });

  test("nothing crosses from another workspace on the same ledger", async () => {
    const of = await worldIn("UTC");
    await work(of, "2026-11-22T10:00Z", "ada");
    of.setPolicy({ workspace: { id: "other" }, hardCaps: WIDE });
    expect((await board(of)).agents).toEqual([]);
    expect((await of.call("list_executions")).executions).toEqual([]);
    expect((await of.call("get_role_ledger")).roles).toEqual([]);
    expect((await of.call("get_user_role_ledger")).user_roles).toEqual([]);
    expect(await faultText(of.call("get_agent_hours", { agent_id: "ada" }))).toBe("not_found:");
  });
});

describe("an agent's hours", () => {
  const hoursOf = async (of: World, args: Line = {}) => {
    const answer = await of.call("get_agent_hours", { agent_id: "ada", ...args });
    return { ...answer, hours: answer.hours as Line[], totals: answer.totals as Line };
  };
  const EMPTY = {
    cost_usd: 0,
    tokens: 0,
    prompt_tokens: 0,
    completion_tokens: 0,
    tool_calls: 0,
    executions: 0,
    successes: 0,
  };

  test("are all of the day, with what was used and finished in each, and nothing in the others", async () => {
    const of = await worldIn("Asia/Kolkata");
    const report = { cost_usd: 0.5, input_tokens: 10, cache_read_tokens: 5, output_tokens: 7, tool_calls: 2 };
    await work(of, "2026-11-22T03:40Z", "ada", report); // 09:10 in Kolkata
    await work(of, "2026-11-22T03:50Z", "ada", { cost_usd: 0.25 }, "error");
    await work(of, "2026-11-22T03:55Z", "bob", { cost_usd: 9 });
    await work(of, "2026-11-22T18:29Z", "ada", { cost_usd: 0.125 }); // 23:59
    const answer = await hoursOf(of);
    expect(answer).toMatchObject({
      period: "day",
      starts_at: "2026-11-21T18:30:00.000Z",
      ends_at: "2026-11-22T18:30:00.000Z",
    });
    expect(answer.hours.map((each) => each.hour)).toEqual(
      Array.from({ length: 24 }, (_, i) => `2026-11-22T${String(i).padStart(2, "0")}`),
    );
    const times = { starts_at: "2026-11-22T03:30:00.000Z", ends_at: "2026-11-22T04:30:00.000Z" };
    const used = { cost_usd: 0.75, tokens: 22, prompt_tokens: 15, completion_tokens: 7, tool_calls: 2 };
    expect(answer.hours[9]).toEqual({ hour: "2026-11-22T09", ...times, ...used, executions: 2, successes: 1 });
    expect(answer.hours[23]).toMatchObject({ cost_usd: 0.125, executions: 1, successes: 1 });
    for (const [i, hour] of answer.hours.entries()) if (i !== 9 && i !== 23) expect(hour).toMatchObject(EMPTY);
    expect(answer.totals).toEqual({ ...used, cost_usd: 0.875, executions: 3, successes: 2 });
  });

  test("are 23 in spring, and in autumn 24 of which one is two hours", async () => {
    const of = await worldIn("Europe/Berlin");
    await work(of, "2026-03-29T01:30Z", "ada");
    expect((await hoursOf(of)).hours).toHaveLength(23);
    await work(of, "2026-10-25T00:30Z", "ada", { cost_usd: 1 });
    await work(of, "2026-10-25T01:30Z", "ada", { cost_usd: 2 });
    const { hours, totals } = await hoursOf(of);
    expect(hours).toHaveLength(24);
    expect(hours[2]).toMatchObject({
      hour: "2026-10-25T02",
      starts_at: "2026-10-25T00:00:00.000Z",
      ends_at: "2026-10-25T02:00:00.000Z",
      cost_usd: 3,
      executions: 2,
    });
    expect(totals).toMatchObject({ cost_usd: 3, executions: 2 });
  });

  test.each([
    ["day", 24],
    ["week", 168],
    ["month", 720],
  ])("of a %s are %d, and their sums are the leaderboard's", async (period, count) => {
    const of = await worldIn("America/St_Johns");
    await work(of, "2026-11-02T12:00Z", "ada", { cost_usd: 0.1 });
    await work(of, "2026-11-17T12:00Z", "ada", { cost_usd: 0.2, output_tokens: 3 });
    await work(of, "2026-11-22T12:00Z", "ada", { cost_usd: 0.4 }, "error");
    const { hours, totals } = await hoursOf(of, { period });
    // In November St John's sets its clock back.
    expect(hours).toHaveLength(count);
    const [ranked] = (await board(of, { period })).agents;
    for (const name of ["cost_usd", "tokens", "tool_calls", "executions", "successes"])
      expect(totals[name], name).toBe(ranked?.[name]);
  });

  test("of an agent that the policy lists may be all empty; of one that nobody knows there are none", async () => {
    const of = await worldIn("UTC", { agents: [{ id: "ada" }] });
    const { hours, totals } = await hoursOf(of);
    expect([hours.length, totals]).toEqual([24, EMPTY]);
    expect(await faultText(of.call("get_agent_hours", { agent_id: "eve" }))).toBe("not_found:");
    await of.open({ agent_id: "eve" });
    expect((await hoursOf(of, { agent_id: "eve" })).totals).toEqual(EMPTY);
  });
});
