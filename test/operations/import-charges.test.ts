// import_charges: what a file may say, what is made of it, and that nothing of a faulty batch is booked.
import { beforeEach, describe, expect, test } from "vitest";
import { headOf, lineOf, recordsIn } from "../../src/faces/charge-file.ts";
import type { ChargeRecord } from "../../src/operations/charge-record.ts";
import { raw } from "../ledger/engines.ts";
import { OPERATOR, START, WIDE, type World, worldOf } from "../world.ts";
import { aResponse, metered } from "./metering.ts";
import { faultOf, faultText, isClean, rowsOf } from "./witness.ts";

type Charge = Record<string, unknown>;

const POLICY = {
  workspace: { id: "home", dailyCostLimitUsd: 5 },
  hardCaps: WIDE,
  onHoldExpiry: "charge",
};

const exported = async (world: World): Promise<Charge[]> =>
  (await world.call("export_charges", {}, OPERATOR)).charges as Charge[];
const imported = (world: World, charges: readonly Charge[], more: object = {}) =>
  world.call("import_charges", { charges, ...more }, OPERATOR);

/** A parent's charge with two tools, its child's, and a forgotten hold of the child's that is taken back. */
async function source(): Promise<Charge[]> {
  const world = await worldOf({ policy: POLICY, start: START - 7_200_000 });
  const parent = await world.open({ task_id: "t", user_id: "u" });
  const tool_calls = [
    { tool: "web", cost_usd: 0.25 },
    { tool: "shell", count: 2 },
  ];
  await world.report({ session_id: parent.session_id, input_tokens: 9, cost_usd: 0.5, tool_calls });
  const child = await world.open({ agent_id: "bob", parent_session_id: parent.session_id });
  const of = { session_id: child.session_id };
  const { hold_id } = await world.check({ ...of, estimate: { cost_usd: 1, input_tokens: 3 }, hold: true });
  world.pass(600_000);
  await world.report({ ...of, cost_usd: 0.125, hold_id: undefined });
  await world.report({ ...of, cost_usd: 0.75, hold_id });
  return await exported(world);
}

let charges: Charge[];
let world: World;
beforeEach(async () => {
  charges = await source();
  world = await worldOf({ policy: POLICY });
});

/** The charges with one of them changed. */
const changed = (at: number, changes: Charge): Charge[] =>
  charges.map((charge, i) => (i === at ? { ...charge, ...changes } : charge));

describe("what is booked", () => {
  test("are charges of ended sessions, with every sum that follows from them, and a line in the audit", async () => {
    expect(charges.map((charge) => charge.source)).toEqual([
      "self_reported",
      "unconfirmed",
      "self_reported",
      "reversal",
      "self_reported",
    ]);
    expect(await imported(world, charges)).toEqual({ imported: 5, known: 0, sessions: 2, unchecked: 0 });
    expect(await isClean(world)).toBe(true);
    expect(await world.costs({ group_by: ["user"] })).toMatchObject({
      total_cost_usd: 1.625,
      charges: 3,
      by_agent: { ada: 0.75, bob: 0.875 },
      by_user: { u: 1.625 },
    });
    const sources = await world.ledger.read(() => raw("select source from charges order by seq"));
    expect(sources.map((row) => row.source)).toEqual(["imported", "imported", "imported", "reversal", "imported"]);
    const { entries } = await world.call("list_audit", {}, OPERATOR);
    expect(entries).toMatchObject([
      { action: "import_charges", target: "workspace home", after: { imported: 5, known: 0, sessions: 2 } },
    ]);
  });

  test("counts in today's caps, by its own time", async () => {
    await imported(world, charges);
    const { limits } = (await world.check({ agent_id: "eve" })).verdict;
    expect(limits.find((limit) => limit.scope === "workspace")).toMatchObject({ spent: 1.625, remaining: 3.375 });
  });

  test("the sessions can be reported to, as all can, but not spent on", async () => {
    await imported(world, charges);
    const session_id = String(charges[0]?.session_id);
    expect((await world.check({ session_id })).verdict.decision).toBe("deny");
    expect((await world.check({ session_id, estimate: { cost_usd: 0.01 }, hold: true })).hold_id).toBeNull();
    expect(await world.open({ agent_id: "bob", parent_session_id: session_id })).toMatchObject({ status: "refused" });
    expect(await world.report({ session_id, cost_usd: 0.01 })).toMatchObject({ late: true, recorded: true });
    expect(await isClean(world)).toBe(true);
  });

  test("keeps how a session ended; one that was open has ended well here", async () => {
    await imported(world, changed(0, { session_status: "error", session_ended_at: "2026-11-22T11:00:00Z" }));
    const rows = await world.ledger.read(() =>
      raw("select id, status, opened_at, ended_at from sessions order by depth"),
    );
    expect(rows).toMatchObject([
      { status: "error", opened_at: BigInt(START - 7_200_000), ended_at: BigInt(START - 3_600_000) },
      { status: "success" },
    ]);
  });

  test("comes once, in however many pieces and however often, and what is not there yet is added", async () => {
    await imported(world, charges.slice(0, 2));
    expect(await imported(world, charges.slice(0, 3))).toMatchObject({ imported: 1, known: 2, sessions: 0 });
    expect(await imported(world, charges)).toMatchObject({ imported: 2, known: 3 });
    const before = await rowsOf(world.ledger);
    expect(await imported(world, charges)).toMatchObject({ imported: 0, known: 5 });
    expect(await imported(world, [...charges, ...charges])).toMatchObject({ imported: 0, known: 10 });
    expect(await rowsOf(world.ledger)).toEqual(before);
  });

  test("a part of a session's charges gets numbers of its own and is known again all the same", async () => {
    const child = charges.filter((charge) => charge.agent_id === "bob");
    const [, second, , fourth] = child;
    await imported(world, [fourth as Charge]);
    expect(await imported(world, [second as Charge])).toMatchObject({ imported: 1 });
    expect(await imported(world, [second, fourth] as Charge[])).toMatchObject({ imported: 0, known: 2 });
    expect(await isClean(world)).toBe(true);
  });

  test("a ledger restored from a copy takes what it lacks of its own sessions", async () => {
    const home = await worldOf({ policy: POLICY });
    const { session_id } = await home.open();
    await home.report({ session_id, cost_usd: 0.5 });
    const early = await exported(home);
    const copy = await worldOf({ policy: POLICY });
    expect((await copy.open()).session_id).toBe(session_id);
    await copy.report({ session_id, cost_usd: 0.5 });
    await home.report({ session_id, cost_usd: 0.25 });
    expect(await exported(copy)).toEqual(early);
    expect(await imported(copy, await exported(home))).toMatchObject({ imported: 1, known: 1, sessions: 0 });
    expect(await copy.costs()).toMatchObject({ total_cost_usd: 0.75 });
    expect(await isClean(copy)).toBe(true);
  });

  test("a dry run says what would be and writes nothing", async () => {
    const before = await rowsOf(world.ledger);
    expect(await imported(world, charges, { dry_run: true })).toMatchObject({ imported: 5, known: 0, unchecked: 0 });
    expect(await imported(world, charges.slice(3), { dry_run: true })).toMatchObject({ imported: 2, unchecked: 1 });
    expect(await faultText(imported(world, changed(1, { late: "no" }), { dry_run: true }))).toContain("charges.1.late");
    expect(await rowsOf(world.ledger)).toEqual(before);
  });
});

/** A correction of the first charge, as `charge correct` would have booked and exported it. */
const correction = (changes: Charge = {}): Charge => ({
  ...charges[0],
  charge_id: String(charges[0]?.charge_id).replace(/\d+$/, "2"),
  recorded_at: "2026-11-22T11:59:00.000Z",
  tools: [],
  input_tokens: 0,
  tool_calls: 0,
  cost_usd: "-0.25",
  reported_usd: null,
  priced_usd: null,
  cost_source: "corrected",
  price_list: null,
  source: "correction",
  corrects: charges[0]?.charge_id,
  ...changes,
});

describe("corrections", () => {
  test("adjust what they correct, wherever it was imported, and are known again", async () => {
    await imported(world, [charges[0] as Charge]);
    expect(await imported(world, [correction()])).toMatchObject({ imported: 1 });
    expect(await world.costs()).toMatchObject({ total_cost_usd: 0.5, by_tool: { llm: 0.25, web: 0.25 } });
    expect(await imported(world, [charges[0] as Charge, correction()])).toMatchObject({ imported: 0, known: 2 });
    const back = (await exported(world))[1];
    expect(back).toMatchObject({ source: "correction", corrects: charges[0]?.charge_id, cost_usd: "-0.25" });
    expect(await isClean(world)).toBe(true);
  });

  test("of an unpriced charge take it from those that have no price", async () => {
    const unpriced = { cost_usd: "0.25", reported_usd: null, priced_usd: null, cost_source: "unpriced" };
    await imported(world, [...changed(0, unpriced).slice(0, 1), correction({ cost_usd: "1" })]);
    expect(await world.costs()).toMatchObject({ total_cost_usd: 1.25, unpriced_charges: 0, charges: 1 });
  });

  test.each([
    ["before what it corrects", {}, "corrects expected a charge that is in the ledger, or stands further up"],
    ["of another session", { corrects: "chg_x-1" }, "corrects expected the id of the charge of the same session"],
    ["of nothing", { corrects: null }, "corrects expected the id of the charge of the same session"],
    ["of itself", { corrects: "chg_000001-2" }, "corrects expected the id of the charge of the same session"],
  ])("%s is refused", async (_, changes, says) => {
    const before = await rowsOf(world.ledger);
    expect(await faultText(imported(world, [correction(changes)]))).toContain(`charges.0.${says}`);
    expect(await rowsOf(world.ledger)).toEqual(before);
  });

  test.each([
    [{ cost_usd: "-0.500000001" }, "cost_usd expected to take back no more than the charge still counts for"],
    [{ hour: "2026-11-22T09" }, "hour expected 2026-11-22T10, as of what it corrects"],
    [{ model: "m" }, "model expected nothing, as of what it corrects"],
    [{ input_tokens: 1 }, "input_tokens expected 0 in a correction"],
    [{ error: "x" }, "error expected nothing in a correction"],
    [{ tools: [{ tool: "web", calls: 1, cost_usd: "0" }] }, "tools expected an empty list in a correction"],
  ])("%j in one is refused", async (changes, says) => {
    await imported(world, [charges[0] as Charge]);
    const before = await rowsOf(world.ledger);
    expect(await faultText(imported(world, [correction(changes)]))).toContain(`charges.0.${says}`);
    expect(await rowsOf(world.ledger)).toEqual(before);
  });
});

describe("reversals", () => {
  test.each([
    ["without what they take back", () => charges.slice(3, 4), "charges.0.hold_id expected a hold whose estimate"],
    ["of more than that", () => changed(3, { cost_usd: "-1.5" }), "charges.3.cost_usd expected to take back exactly"],
    ["of other tokens", () => changed(3, { input_tokens: -4 }), "charges.3.cost_usd expected to take back exactly"],
    ["of no hold", () => changed(3, { hold_id: null }), "charges.3.hold_id expected the hold whose estimate"],
    [
      "of the same once more",
      () => [...charges, { ...charges[3], charge_id: "chg_000002-9" }],
      "charges.5.hold_id expected a hold whose estimate was not taken back yet",
    ],
  ])("%s are refused", async (_, file, says) => {
    const before = await rowsOf(world.ledger);
    expect(await faultText(imported(world, file()))).toContain(says);
    expect(await rowsOf(world.ledger)).toEqual(before);
  });
});

describe("a faulty row", () => {
  const SOON = new Date(START + 61_000).toISOString();

  test.each<[number, Charge, string]>([
    [0, { cost_usd: 0.75 }, "cost_usd expected an exact number of dollars such as 0.075"],
    [0, { cost_usd: "7.5e-1" }, "cost_usd expected an exact number of dollars"],
    [0, { cost_usd: "-0.75" }, "cost_usd expected 0 or more dollars"],
    [0, { cost_usd: "10000.000000001" }, "cost_usd expected at most 10000 dollars"],
    [0, { cost_usd: "0.2" }, "cost_usd expected at least what its tools cost"],
    [0, { reported_usd: "-1" }, "reported_usd expected 0 or more dollars"],
    [0, { tool_calls: 1 }, "tool_calls expected at least the calls of its tools"],
    [0, { input_tokens: -1 }, "input_tokens expected 0 or more"],
    [0, { input_tokens: 1.5 }, "input_tokens expected a whole number of tokens"],
    [0, { output_tokens: 1_000_000_001 }, "output_tokens expected at most 1000000000"],
    [0, { cache_write_1h_tokens: 1 }, "cache_write_1h_tokens expected at most cache_write_tokens"],
    [0, { occurred_at: SOON, recorded_at: SOON }, "occurred_at expected an instant from 2000 to now"],
    [0, { occurred_at: "1999-12-31T00:00:00Z" }, "occurred_at expected an instant from 2000 to now"],
    [0, { occurred_at: "2026-11-22T11:30:00Z" }, "recorded_at expected an instant not before occurred_at"],
    [0, { occurred_at: "22.11.2026" }, "occurred_at expected an instant"],
    [0, { hour: "2026-11-24T10" }, "hour expected the local hour of occurred_at, or before"],
    [0, { hour: "2026-02-30T10" }, "hour expected an hour of a day of the calendar"],
    [0, { hour: "2026-11-22T24" }, "hour expected a local hour such as"],
    [0, { agent_id: "a b" }, "agent_id expected an id"],
    [0, { agent_id: "<b>" }, "agent_id expected an id"],
    [0, { session_id: "../x" }, "session_id expected the id of a session"],
    [0, { charge_id: "chg_other-1" }, "charge_id expected an id of session_id"],
    [0, { error: "\u001b[2J" }, "error expected text without control characters"],
    [0, { source: "invoice" }, "source expected one of self_reported"],
    [0, { cost_source: null }, "cost_source expected one of reported"],
    [0, { corrects: "chg_000001-9" }, "corrects expected nothing but in a correction"],
    [0, { tools: "web" }, "tools expected a list"],
    [0, { tools: [{ tool: "web", calls: 1, cost_usd: "0.1", more: 1 }] }, 'tools.0 unknown argument "more"'],
    [0, { workspace_id: "other" }, 'unknown argument "workspace_id"'],
    [0, { parent_session_id: "ses_x" }, "parent_session_id expected the last of the ancestors"],
    [2, { root_session_id: "ses_x" }, "root_session_id expected the first of the ancestors"],
    [2, { ancestors: [] }, "parent_session_id expected the last of the ancestors"],
    [2, { agent_id: "eve" }, "agent_id expected bob (agent_id): session ses_000002 is in this ledger already"],
    [2, { user_id: null }, "user_id expected u (user_id): session ses_000002 is in this ledger already"],
    [2, { team_id: "blue" }, "team_id expected nothing (team_id): session ses_000002"],
  ])("in row %d of %j is named, and nothing is booked", async (at, changes, says) => {
    const before = await rowsOf(world.ledger);
    const fault = await faultOf(imported(world, changed(at, changes)));
    expect(fault.code).toBe("invalid_input");
    const text = fault.faults.map(({ path, message }) => `${path} ${message}`).join("; ");
    expect(text).toMatch(new RegExp(`^charges\\.${at}[. ]`));
    expect(text).toContain(says);
    expect(await rowsOf(world.ledger)).toEqual(before);
  });

  test("an ancestor that is another agent's here is named", async () => {
    await imported(world, charges.slice(0, 1));
    const [ancestor] = (charges[2] as { ancestors: Charge[] }).ancestors;
    const file = changed(2, { ancestors: [{ ...ancestor, agent_id: "eve" }] }).slice(2);
    expect(await faultText(imported(world, file))).toContain("charges.0.ancestors expected ada (agent_id)");
  });

  test("a column that is missing is named", async () => {
    const { late: _, ...rest } = charges[0] as Charge;
    expect(await faultText(imported(world, [rest]))).toContain("charges.0.late expected true or false");
  });

  test("another charge under a known id is an error, in this ledger's own charges as in imported ones", async () => {
    await imported(world, charges);
    const before = await rowsOf(world.ledger);
    const says = "charges.0.cost_usd expected what charge chg_000001-1 has in this ledger; a charge is never changed";
    const edited = changed(0, { cost_usd: "0.9" });
    expect(await faultText(imported(world, edited))).toBe(`id_reused: ${says}`);
    const home = await worldOf({ policy: POLICY });
    await home.report({ session_id: (await home.open()).session_id, cost_usd: 0.5 });
    const [own] = await exported(home);
    expect(await faultText(imported(home, [{ ...own, cost_usd: "0.25" }]))).toBe(`id_reused: ${says}`);
    expect(await rowsOf(world.ledger)).toEqual(before);
  });

  test("a session of another workspace of the same ledger is none of this one's", async () => {
    await imported(world, charges);
    const other = await worldOf({ policy: { ...POLICY, workspace: { id: "other" } }, ledger: world.ledger });
    expect(await faultText(imported(other, charges))).toBe(
      "invalid_input: charges.0.session_id expected a session that is not another workspace's",
    );
  });

  test("of a day that was pruned may have been here, and is refused unless it still is", async () => {
    await imported(world, charges.slice(0, 1));
    await world.ledger.write(() => raw("update books set pruned_before = '2026-11-23'"));
    expect(await imported(world, charges.slice(0, 1))).toMatchObject({ known: 1 });
    expect(await faultText(imported(world, charges))).toContain("charges.1.hour expected 2026-11-23 or later");
  });

  test("too many or none are refused", async () => {
    expect(await faultText(imported(world, []))).toContain("charges expected at least one charge");
    const many = Array.from({ length: 501 }, () => charges[0] as Charge);
    expect(await faultText(imported(world, many))).toContain("charges expected at most 500 charges");
  });
});

test("it is for operators only", async () => {
  for (const principal of [
    { kind: "viewer", actor: "v" },
    { kind: "agent", agentId: "ada" },
  ] as const)
    expect((await faultOf(world.call("import_charges", { charges }, principal))).code).toBe("forbidden");
});

describe("charges that a meter found", () => {
  /** A response that a better source replaced, and one of a self-report. */
  async function meteredCharges(): Promise<Charge[]> {
    const from = await worldOf({ policy: POLICY, start: START });
    await metered(from, "telemetry", aResponse("msg_1"));
    await metered(from, "gateway", aResponse("msg_1", { inputTokens: 500, webSearches: 1 }));
    return await exported(from);
  }

  test("say who found them, and are no self-reports where they are imported", async () => {
    const found = await meteredCharges();
    expect(found.map(({ source, metered_by }) => [source, metered_by])).toEqual([
      ["telemetry", "telemetry"],
      ["correction", "telemetry"],
      ["gateway", "gateway"],
    ]);
    expect(await imported(world, found)).toMatchObject({ imported: 3 });
    expect(await imported(world, found)).toMatchObject({ imported: 0, known: 3 });
    const sums = await world.ledger.read(() =>
      raw("select sum(cost_nano_usd) as cost, sum(metered_nano_usd) as metered from costs_by_day"),
    );
    expect(sums).toEqual([{ cost: 11_500_000n, metered: 11_500_000n }]);
    expect(await isClean(world)).toBe(true);
  });

  test("must be of the meter that they name", async () => {
    const [first, ...rest] = await meteredCharges();
    for (const [changes, fault] of [
      [{ metered_by: null }, "charges.0.metered_by expected telemetry"],
      [{ source: "self_reported" }, "charges.0.metered_by expected nothing for a self_reported charge"],
      [{ source: "imported", metered_by: "gateway" }, "charges.1.metered_by expected gateway, as of what it corrects"],
    ] as const)
      expect(await faultText(imported(world, [{ ...first, ...changes }, ...rest]))).toBe(`invalid_input: ${fault}`);
  });

  test("are unknown to files of before there were meters, which are read all the same", async () => {
    const before = charges.map(({ metered_by: _, ...charge }) => charge);
    expect(await imported(world, before)).toMatchObject({ imported: 5 });
    expect(await imported(world, charges)).toMatchObject({ imported: 0, known: 5 });
    const head = headOf("csv").replace(",metered_by", "");
    const lines = (await exported(world)).map((record) => lineOf(record as ChargeRecord, "csv"));
    const at = headOf("csv").split(",").indexOf("metered_by");
    expect(at).toBeGreaterThan(0);
    const rows = [];
    const text = head + lines.map((line) => withoutCell(line, at)).join("");
    for await (const { record } of recordsIn(pieces(text), "csv")) rows.push(record);
    const other = await worldOf({ policy: POLICY });
    expect(await imported(other, rows)).toMatchObject({ imported: 5 });
  });
});

async function* pieces(text: string): AsyncGenerator<string> {
  yield text;
}

/** A line of CSV without one of its cells. */
function withoutCell(line: string, at: number): string {
  const cells = line.match(/("([^"]|"")*"|[^,]*)(,|$)/g) ?? [];
  return cells.filter((_, i) => i !== at).join("");
}
