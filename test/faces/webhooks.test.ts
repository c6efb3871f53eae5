// Webhooks against real receivers: signed, tried again, never redirected, given up, and nobody waits for them.
import { describe, expect, test } from "vitest";
import { deliverOnce, startDeliverer } from "../../src/webhooks/deliverer.ts";
import { keyOf } from "../../src/webhooks/signature.ts";
import { OPERATOR, WIDE, type World, worldOf } from "../world.ts";
import { newReceiver, ok, type Receiver, SECRET } from "./receiver.ts";

const HOUR = 3_600_000;

const policy = (...webhooks: object[]) => ({
  hardCaps: WIDE,
  agents: [{ id: "ada" }],
  tasks: Array.from({ length: 9 }, (_, i) => ({ id: `fix-${i}`, task_type: "bugfix" })),
  webhooks,
});
const hook = ({ url }: { url: string }, id = "ops") => ({ id, url, secretEnv: "OPS_WEBHOOK_SECRET" });

/** What the deliverer said goes to `logged`. */
const optionsOf = (logged: string[] = []) => ({
  version: "1.2.3",
  env: { OPS_WEBHOOK_SECRET: SECRET },
  log: (text: string) => logged.push(text),
});

/** A bug fix of six dollars. */
async function raise(world: World, nth = 0): Promise<string> {
  const { session_id } = await world.open({ task_id: `fix-${nth}` });
  await world.report({ session_id, cost_usd: 6, error: "hunter2" });
  return session_id;
}

type Line = Record<string, unknown> & { readonly delivery_id: string };
const deliveries = async (world: World): Promise<Line[]> =>
  (await world.call("list_webhook_deliveries", {}, OPERATOR)).deliveries as Line[];

async function withIncident(receiver: { url: string }): Promise<World> {
  const world = await worldOf({ policy: policy(hook(receiver)) });
  await raise(world);
  return world;
}

describe("a message", () => {
  test("is signed by the Standard Webhooks convention, and tells ids, numbers and our own words", async () => {
    const receiver = await newReceiver();
    const world = await worldOf({ policy: policy(hook(receiver)) });
    const session_id = await raise(world);
    expect(await deliverOnce(world.context, optionsOf())).toBe(1);
    const [message, ...more] = receiver.received;
    const [line] = await deliveries(world);
    expect([more, message?.isSigned, message?.id]).toEqual([[], true, line?.delivery_id]);
    expect(message?.timestamp).toBe(world.context.now() / 1_000);
    expect(message?.body).toEqual({
      type: "incident.raised",
      timestamp: "2026-11-22T12:00:00.000Z",
      data: {
        incident_id: line?.incident_id,
        workspace_id: "default",
        kind: "task_red_flag",
        scope: "task",
        scope_id: "fix-0",
        session_id,
        agent_id: "ada",
        team_id: null,
        task_id: "fix-0",
        message: "Task fix-0 cost $6.00, past the red flag of $5.00 (bugfix, usually $0.50 to $3.00).",
        evidence: { guideline: "bugfix", spent_usd: 6, usual_from_usd: 0.5, usual_to_usd: 3, red_flag_usd: 5 },
        stop_id: null,
      },
    });
    expect(message?.text).not.toContain("hunter2");
    expect(line).toMatchObject({ state: "delivered", attempts: 1, last_result: null, next_attempt_at: null });
    expect(await deliverOnce(world.context, optionsOf())).toBe(0);
  });

  test("that fails comes again later under its own id, signed anew", async () => {
    const receiver = await newReceiver((response, nth) =>
      nth < 3 ? response.writeHead(500).end("no") : ok(response, nth),
    );
    const world = await withIncident(receiver);
    expect(await deliverOnce(world.context, optionsOf())).toBe(1);
    expect(await deliveries(world)).toMatchObject([{ state: "pending", attempts: 1, last_result: "HTTP 500" }]);
    world.pass(3_000);
    expect(await deliverOnce(world.context, optionsOf())).toBe(0);
    world.pass(4_000);
    expect(await deliverOnce(world.context, optionsOf())).toBe(1);
    world.pass(20_000);
    expect(await deliverOnce(world.context, optionsOf())).toBe(1);
    expect(await deliveries(world)).toMatchObject([{ state: "delivered", attempts: 3 }]);
    const { received } = receiver;
    expect(received.map((each) => each.isSigned)).toEqual([true, true, true]);
    expect([new Set(received.map((each) => each.id)).size, new Set(received.map((each) => each.text)).size]).toEqual([
      1, 1,
    ]);
    expect(new Set(received.map((each) => each.timestamp)).size).toBe(3);
  });

  test("is not carried anywhere else by a redirect", async () => {
    const elsewhere = await newReceiver();
    const receiver = await newReceiver((response) => response.writeHead(307, { location: elsewhere.url }).end());
    const world = await withIncident(receiver);
    await deliverOnce(world.context, optionsOf());
    expect([receiver.received.length, elsewhere.received.length]).toEqual([1, 0]);
    expect(await deliveries(world)).toMatchObject([{ state: "pending", last_result: "HTTP 307" }]);
  });

  test("fails in the end, is seen to, and is sent when an operator says so", async () => {
    const gone = await newReceiver();
    await gone.close();
    const world = await withIncident(gone);
    for (let i = 0; i < 12; i++) {
      expect(await deliverOnce(world.context, optionsOf())).toBe(1);
      world.pass(20 * HOUR);
    }
    expect(await deliverOnce(world.context, optionsOf())).toBe(0);
    const [failed] = await deliveries(world);
    expect(failed).toMatchObject({ state: "failed", attempts: 12, last_result: "connection refused" });
    const back = await newReceiver(ok, gone.port);
    const again = await world.call(
      "redeliver_webhook",
      { delivery_id: failed?.delivery_id, reason: "It is back" },
      OPERATOR,
    );
    expect(again).toMatchObject({ state: "pending", attempts: 0 });
    await deliverOnce(world.context, optionsOf());
    expect(back.received).toMatchObject([{ id: failed?.delivery_id, isSigned: true }]);
    expect((await world.call("list_audit")).entries).toMatchObject([
      { action: "redeliver_webhook", why: "It is back" },
    ]);
  });

  test("survives its receiver's restart", async () => {
    const first = await newReceiver((response) => void response.destroy());
    const world = await withIncident(first);
    await deliverOnce(world.context, optionsOf());
    expect(await deliveries(world)).toMatchObject([{ state: "pending", last_result: "connection broken" }]);
    await first.close();
    const second = await newReceiver(ok, first.port);
    world.pass(60_000);
    await deliverOnce(world.context, optionsOf());
    expect(second.received).toMatchObject([{ id: first.received[0]?.id, isSigned: true }]);
  });
});

describe("a webhook", () => {
  test("that hangs is left after ten seconds, and neither another webhook nor a report waits for it", async () => {
    const hanging = await newReceiver(() => {});
    const quick = await newReceiver();
    const world = await worldOf({ policy: policy(hook(hanging, "hanging"), hook(quick, "quick")) });
    for (let i = 0; i < 8; i++) await raise(world, i);
    const from = performance.now();
    const deliverer = startDeliverer(world.context, optionsOf());
    await expect.poll(() => quick.received.length, { timeout: 8_000 }).toBe(8);
    const { session_id } = await world.open();
    const times: number[] = [];
    for (let i = 0; i < 200; i++) {
      const began = performance.now();
      await world.report({ session_id, cost_usd: 0.0001 });
      times.push(performance.now() - began);
    }
    expect(times.sort((a, b) => a - b)[100]).toBeLessThan(20);
    // Four at a time hang; the others are not even begun.
    expect([hanging.received.length, performance.now() - from < 9_000]).toEqual([4, true]);
    await expect
      .poll(async () => (await deliveries(world)).filter((each) => each.last_result === "no answer in time").length, {
        timeout: 20_000,
      })
      .toBe(4);
    expect(performance.now() - from).toBeGreaterThan(9_900);
    await deliverer.close();
  });

  test("gets what was under way when its sender was closed from the next one, at once", async () => {
    const answers: (() => void)[] = [];
    const receiver = await newReceiver((response, nth) =>
      nth === 1 ? void answers.push(() => response.end()) : ok(response, nth),
    );
    const world = await withIncident(receiver);
    const closing = startDeliverer(world.context, optionsOf());
    await expect.poll(() => receiver.received.length, { timeout: 5_000 }).toBe(1);
    await closing.close();
    expect(await deliveries(world)).toMatchObject([{ state: "pending", attempts: 0 }]);
    expect(await deliverOnce(world.context, optionsOf())).toBe(1);
    expect(receiver.received.map((each) => each.id)).toEqual([receiver.received[0]?.id, receiver.received[0]?.id]);
  });

  test("that astra.yml does not know any more leaves its messages dropped, after an hour", async () => {
    const receiver = await newReceiver();
    const world = await withIncident(receiver);
    world.setPolicy(policy());
    await deliverOnce(world.context, optionsOf());
    expect(await deliveries(world)).toMatchObject([{ state: "pending" }]);
    world.pass(HOUR);
    await deliverOnce(world.context, optionsOf());
    expect([await deliveries(world), receiver.received]).toMatchObject([[{ state: "dropped" }], []]);
  });

  test("whose secret is not here, or too short, is left to another process, and the operator is told once", async () => {
    const receiver = await newReceiver();
    const world = await withIncident(receiver);
    for (const [env, told] of [
      [{}, "webhook ops is not sent from here: OPS_WEBHOOK_SECRET is not set."],
      [{ OPS_WEBHOOK_SECRET: "short" }, expect.stringContaining("OPS_WEBHOOK_SECRET is too short")],
    ] as const) {
      const logged: string[] = [];
      expect(await deliverOnce(world.context, { ...optionsOf(logged), env })).toBe(0);
      expect(logged).toEqual([told]);
    }
    expect(await deliverOnce(world.context, optionsOf())).toBe(1);
  });
});

test("a secret is whsec_ and base64, or any text, of at least 24 bytes", () => {
  expect(keyOf(SECRET)).toHaveLength(24);
  expect(keyOf("x".repeat(24))).toHaveLength(24);
  for (const secret of ["", "x".repeat(23), "whsec_", "whsec_AAAA", `whsec_${"?".repeat(40)}`])
    expect(keyOf(secret)).toBeNull();
});

test("two deliverers at work on one ledger deliver every message, hardly ever one twice", async () => {
  const receivers: Receiver[] = [await newReceiver()];
  const world = await worldOf({ policy: policy(hook(receivers[0] as Receiver)) });
  const pair = [startDeliverer(world.context, optionsOf()), startDeliverer(world.context, optionsOf())];
  for (let i = 0; i < 9; i++) await raise(world, i);
  await expect
    .poll(async () => (await deliveries(world)).filter(({ state }) => state === "delivered").length, {
      timeout: 15_000,
    })
    .toBe(9);
  await Promise.all(pair.map((each) => each.close()));
  expect(new Set(receivers[0]?.received.map((each) => each.id)).size).toBe(9);
  expect(receivers[0]?.received).toHaveLength(9);
});
