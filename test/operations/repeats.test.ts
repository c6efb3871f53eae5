// Repeats: the same key counts once, for ever and before any limit; another body under it is an error.
import { describe, expect, test } from "vitest";
import { WIDE, worldOf } from "../world.ts";
import { faultText, isClean, rowsOf } from "./witness.ts";

describe("a repeated report", () => {
  const report = { input_tokens: 2500, output_tokens: 800, cost_usd: 0.012, idempotency_key: "step-7" };

  test("answers the first one's charge and writes nothing", async () => {
    const world = await worldOf();
    const { session_id } = await world.open();
    const first = await world.report({ session_id, ...report });
    const before = await rowsOf(world.ledger);
    const again = await world.report({ session_id, ...report });
    expect(again).toMatchObject({
      charge_id: first.charge_id,
      recorded: true,
      duplicate: true,
      cost_usd: 0.012,
      cost_source: "reported",
      session: { cost_usd: 0.012, charges: 1 },
    });
    expect(await rowsOf(world.ledger)).toEqual(before);
  });

  test("is known by its content, whatever the order of its arguments and with defaults left out or said", async () => {
    const world = await worldOf();
    const { session_id } = await world.open();
    await world.report({ session_id, ...report, tool_calls: [{ tool: "web", count: 1 }] });
    const same = {
      idempotency_key: "step-7",
      tool_calls: [{ tool: "web" }],
      cost_usd: 0.0120000000001,
      cache_read_tokens: 0,
    };
    expect(await world.report({ ...same, output_tokens: 800, input_tokens: 2500, session_id })).toMatchObject({
      duplicate: true,
    });
  });

  test("with any other content is an error, and the first one stays as it is", async () => {
    const world = await worldOf();
    const { session_id } = await world.open();
    await world.report({ session_id, ...report });
    const before = await rowsOf(world.ledger);
    for (const other of [
      { input_tokens: 2501 },
      { cost_usd: 0.012000001 },
      { cost_usd: undefined },
      { model: "known-1" },
      { error: "failed" },
      { tool: "web" },
      { occurred_at: "2026-11-22T12:00:00Z" },
    ]) {
      expect(await faultText(world.report({ session_id, ...report, ...other }))).toBe("id_reused:");
    }
    expect(await rowsOf(world.ledger)).toEqual(before);
  });

  test("sent many times at once is one charge", async () => {
    const world = await worldOf();
    const { session_id } = await world.open();
    const answers = await Promise.all(Array.from({ length: 20 }, () => world.report({ session_id, ...report })));
    expect(new Set(answers.map(({ charge_id }) => charge_id)).size).toBe(1);
    expect(answers.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
    expect(await world.costs()).toMatchObject({ total_cost_usd: 0.012, charges: 1 });
  });

  test("of the report that broke the cap is answered as a duplicate, not refused by the cap", async () => {
    const world = await worldOf({ policy: { hardCaps: { maxCostCents: 1 } } });
    const { session_id } = await world.open();
    const first = await world.report({ session_id, ...report });
    expect(first).toMatchObject({ over_budget: true, verdict: { decision: "deny" } });
    const again = await world.report({ session_id, ...report });
    expect(again).toMatchObject({
      charge_id: first.charge_id,
      duplicate: true,
      over_budget: true,
      verdict: { decision: "deny" },
    });
    expect(again.session).toMatchObject({ cost_usd: 0.012 });
  });

  test("counts once even months later, after the session's end and after its hold is closed", async () => {
    const world = await worldOf();
    const { session_id } = await world.open();
    const { hold_id } = await world.check({ session_id, estimate: { cost_usd: 1 }, hold: true });
    const first = await world.report({ session_id, hold_id, ...report });
    await world.end({ session_id });
    world.pass(90 * 86_400_000);
    const again = await world.report({ session_id, hold_id, ...report });
    expect(again).toMatchObject({
      charge_id: first.charge_id,
      duplicate: true,
      late: false,
      verdict: { decision: "deny" },
    });
    expect(await isClean(world)).toBe(true);
  });

  test("its key is the session's own: two sessions may use the same", async () => {
    const world = await worldOf();
    const [one, other] = [await world.open(), await world.open()];
    await world.report({ session_id: one.session_id, ...report });
    const second = await world.report({ session_id: other.session_id, ...report, cost_usd: 1 });
    expect(second).toMatchObject({ duplicate: false, session: { cost_usd: 1 } });
  });

  test("without a key counts again", async () => {
    const world = await worldOf();
    const { session_id } = await world.open();
    for (let i = 0; i < 2; i++) await world.report({ session_id, cost_usd: 0.5 });
    expect(await world.costs()).toMatchObject({ total_cost_usd: 1, charges: 2 });
  });

  test("that was refused as wrong may be sent again, corrected, with its key", async () => {
    const world = await worldOf();
    const { session_id } = await world.open();
    expect(await faultText(world.report({ session_id, ...report, input_tokens: -1 }))).toContain("invalid_input");
    expect(await world.report({ session_id, ...report })).toMatchObject({ duplicate: false });
  });
});

describe("a repeated opening", () => {
  test("answers the same session with the verdict of now, and takes no second child's place", async () => {
    const world = await worldOf({ policy: { hardCaps: { ...WIDE, maxChildAgents: 1 } } });
    const parent = await world.open();
    const args = { agent_id: "kid", parent_session_id: parent.session_id, task_id: 1, idempotency_key: "k" };
    const first = await world.open(args);
    await world.report({ session_id: first.session_id, cost_usd: 9_000 });
    const again = await world.open(args);
    expect(again).toMatchObject({
      session_id: first.session_id,
      status: "open",
      budget: first.budget,
      started_at: first.started_at,
    });
    expect(again.verdict.decision).toBe("warn");
    expect((await rowsOf(world.ledger)).sessions).toHaveLength(2);
  });

  test("of a session that has ended says that it has, and denies", async () => {
    const world = await worldOf();
    const first = await world.open({ idempotency_key: "k" });
    await world.end({ session_id: first.session_id });
    const again = await world.open({ idempotency_key: "k" });
    expect(again).toMatchObject({
      session_id: first.session_id,
      status: "success",
      verdict: { decision: "deny", binding: { kind: "session_ended" } },
    });
  });

  test("with another content under its key is an error; another agent's key is its own", async () => {
    const world = await worldOf();
    await world.open({ idempotency_key: "k", budget: { max_cost_cents: 5 } });
    expect(await faultText(world.open({ idempotency_key: "k" }))).toBe("id_reused:");
    expect(await faultText(world.open({ idempotency_key: "k", budget: { max_cost_cents: 6 } }))).toBe("id_reused:");
    expect((await world.open({ agent_id: "bob", idempotency_key: "k" })).status).toBe("open");
  });

  test("sent many times at once is one session", async () => {
    const world = await worldOf();
    const answers = await Promise.all(Array.from({ length: 20 }, () => world.open({ idempotency_key: "k" })));
    expect(new Set(answers.map(({ session_id }) => session_id)).size).toBe(1);
  });
});

describe("a repeated end", () => {
  test("changes nothing: not the time, the status, the error or the totals", async () => {
    const world = await worldOf();
    const { session_id } = await world.open();
    await world.report({ session_id, cost_usd: 0.5 });
    world.pass(90_000);
    const first = await world.end({ session_id, status: "error", error: "gave up" });
    expect(first).toMatchObject({
      status: "error",
      already_ended: false,
      ended_at: "2026-11-22T12:01:30.000Z",
      duration_ms: 90_000,
      totals: { cost_usd: 0.5 },
    });
    const before = await rowsOf(world.ledger);
    world.pass(3_600_000);
    const again = await world.end({ session_id, status: "success" });
    expect(again).toEqual({ ...first, already_ended: true });
    expect(await rowsOf(world.ledger)).toEqual(before);
  });
});
