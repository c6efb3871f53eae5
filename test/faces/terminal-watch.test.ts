// The text of watch: everything in its place, on screens of any size, whatever the names are.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { painted, unpainted } from "../../src/faces/fitted-table.ts";
import { type Screen, watchLines } from "../../src/faces/terminal-watch.ts";
import { leftText, short } from "../../src/faces/terminal-watch-columns.ts";
import { shownCut, textWidth } from "../../src/faces/text-width.ts";
import { type Now, type Watched, watched } from "../../src/faces/watch-state.ts";
import { OPERATOR, WIDE, type World, worldOf } from "../world.ts";

const POLICY = {
  workspace: { id: "home", timezone: "Europe/Berlin", dailyCostLimitUsd: 25 },
  hardCaps: WIDE,
  agents: [
    { id: "ada", dailyCostLimitUsd: 1, budget: { maxCostCents: 200, maxDuration: 3_600_000 } },
    { id: "bob", quotas: { tokensPerDay: 1_000 } },
  ],
};
const WIDE_SCREEN: Screen = { columns: 160, rows: null, paint: unpainted };

const look = async (world: World, before: Watched | null = null) =>
  watched(
    before,
    (await world.call("get_now", before ? { after: before.now.feed_cursor } : {}, OPERATOR)) as unknown as Now,
  );

async function busy(names: { agent?: string; task?: string; reason?: string } = {}) {
  const world = await worldOf({ policy: POLICY });
  const { session_id } = await world.open({
    agent_id: names.agent ?? "ada",
    task_id: names.task ?? "t1",
    model: "known-1",
  });
  const bob = await world.open({ agent_id: "bob" });
  await world.report({ session_id, input_tokens: 1_200, output_tokens: 34, cost_usd: 0.85 });
  await world.report({ session_id: bob.session_id, input_tokens: 500, cost_usd: 0.0031, error: "It broke." });
  await world.call("stop", { agent_id: "bob", reason: names.reason ?? "Runaway loop." });
  return { world, session_id };
}

describe("on a wide screen", () => {
  test("a ledger that nobody uses yet says what to do next", async () => {
    const text = watchLines(await look(await worldOf({ policy: { hardCaps: WIDE } })), WIDE_SCREEN, "").join("\n");
    expect(text).toContain("astra-budget install claude-code");
    expect(text).not.toMatch(/Open sessions|Charges|Stops|incidents/);
    expect((await look(await worldOf({ policy: POLICY }))).now.limits.length).toBeGreaterThan(0);
  });

  test("it shows where the money is: spend, limits, sessions, stops and charges, with a word beside every colour", async () => {
    const { world } = await busy();
    const state = await look(world);
    const lines = watchLines(state, WIDE_SCREEN, "q quits");
    const line = (pattern: RegExp) =>
      expect(
        lines.find((each) => pattern.test(each)),
        String(pattern),
      ).toBeDefined();
    expect(lines[0]).toMatch(/^home {2}Sun 22 Nov 2026 13:00:00 Europe\/Berlin +q quits$/);
    expect(lines[1]).toBe("today $0.85 (at this pace $1.57)   this month $0.85 (at this pace $1.18)");
    line(/^stop agent bob: Runaway loop\.$/);
    line(
      /^ada +warn +\$0\.85 +\$2\.00 +\$306\.00 +1 h 00 m +t1 +known-1 +1,234 +agent ada today: \$0\.15 of \$1\.00 left$/,
    );
    line(/^bob +deny .* stop: agent bob$/);
    line(/^agent ada today +█{9}· {2}85 % +warn +\$0\.85 +\$1\.00 +- +at this pace met Sun 22 Nov 15:17$/);
    line(/^agent bob today, total tokens +█{5}·{5} {2}50 % +ok +500 +1,000 +-$/);
    line(/^13:00:00 +ada +\$0\.85 +warn +1,200 +34 +t1 +known-1$/);
    line(/^13:00:00 +bob +\$0\.0031 +deny +500 +0 +- +- +failed$/);
    const coloured = watchLines(state, { ...WIDE_SCREEN, paint: painted }, "q quits");
    expect(coloured.join("\n")).toContain("\x1b[33mwarn");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escapes are what is looked for.
    expect(coloured.map((each) => each.replaceAll(/\x1b\[\d+m/g, "").trimEnd())).toEqual(lines);
  });

  test("the feed grows from answer to answer and says what it leaves out; the pace is of what was seen", async () => {
    const { world, session_id } = await busy();
    const first = await look(world);
    world.pass(90_000);
    for (let i = 0; i < 102; i++) await world.report({ session_id, cost_usd: 0.001 });
    const next = await look(world, first);
    expect(next.feed).toHaveLength(103);
    expect(next.feed.slice(0, 3)).toEqual([...first.feed, { left_out: 2 }]);
    const text = watchLines(next, WIDE_SCREEN, "").join("\n");
    expect(text).toMatch(/^… +2 more$/m);
    // 0.102 dollars in the last minute.
    expect(text).toMatch(/^ada +warn +\$0\.95 +\$2\.00 +\$6\.12 /m);
  });
});

describe("on any screen", () => {
  const size = fc.record({ columns: fc.integer({ min: 1, max: 180 }), rows: fc.integer({ min: 1, max: 60 }) });

  test("no line is wider and no frame higher than it, and what matters most is on it", async () => {
    const { world } = await busy({ agent: "agent-".repeat(10), task: "task-".repeat(20), reason: "止まれ".repeat(60) });
    const state = await look(world);
    fc.assert(
      fc.property(size, ({ columns, rows }) => {
        const lines = watchLines(state, { columns, rows, paint: unpainted }, "q quits");
        expect(lines.length).toBeLessThanOrEqual(rows);
        for (const line of lines) expect(textWidth(line), line).toBeLessThanOrEqual(columns);
        if (columns >= 40 && rows >= 30)
          for (const title of ["Stops", "Open sessions", "Limits", "Charges"])
            expect(lines.join("\n")).toContain(title);
      }),
    );
  });

  test("of the feed the newest stay, of the others the first, and it says of how many", async () => {
    const { world, session_id } = await busy();
    for (let i = 0; i < 40; i++) await world.report({ session_id, cost_usd: 0.001 * (i + 1) });
    const lines = watchLines(await look(world), { columns: 100, rows: 24, paint: unpainted }, "");
    expect(lines).toHaveLength(24);
    expect(lines.at(-1)).toContain("$0.04");
    expect(lines.join("\n")).toContain("Open sessions (2)");
  });
});

test("no text of a ledger acts on the terminal", async () => {
  const { world } = await busy();
  const { now, ...rest } = await look(world);
  const hostile = "\u001b[2J\u001b]0;owned\u0007\u202e\u2028\r\n\u009b31m\u0000a";
  const spoilt = JSON.parse(JSON.stringify(now), (key, value) =>
    typeof value === "string" && !/_at$|^at$|timezone|measure|decision|state/.test(key) ? `${value}${hostile}` : value,
  ) as Now;
  for (const columns of [20, 80, 400]) {
    const lines = watchLines(
      { ...rest, feed: spoilt.feed, now: spoilt },
      { columns, rows: null, paint: unpainted },
      "",
    );
    for (const line of lines) expect(line).not.toMatch(/\p{Cc}|\p{Cf}|[\u2028\u2029]/u);
  }
});

test("texts are as wide as a terminal draws them, and are cut between characters", () => {
  expect([textWidth("abc"), textWidth("止まれ"), textWidth("e\u0301"), textWidth("🙂")]).toEqual([3, 6, 1, 2]);
  expect([shownCut("止まれ", 6), shownCut("止まれ", 5), shownCut("abc", 2), shownCut("abc", 0)]).toEqual([
    "止まれ",
    "止ま…",
    "a…",
    "",
  ]);
});

test("times and money are as short as a glance needs them", () => {
  expect([0, 59_999, 60_000, 3_900_000, 86_400_000 * 3 + 3_600_000 * 4, -5].map(leftText)).toEqual([
    "0 s",
    "59 s",
    "1 m",
    "1 h 05 m",
    "3 d 04 h",
    "0 s",
  ]);
  expect([0, 0.0031, 0.1, 1234.5].map(short)).toEqual(["$0.00", "$0.0031", "$0.10", "$1,234.50"]);
});
