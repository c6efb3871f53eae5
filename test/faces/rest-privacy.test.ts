// The privacy budget over HTTP and at the terminal: Open Astra's two routes, viewers' keys and tokens, the commands.
import { SignJWT } from "jose";
import { describe, expect, test } from "vitest";
import { budgetOf, spend, told } from "../operations/privacy-world.ts";
import { WIDE } from "../world.ts";
import { newRoom } from "./room.ts";
import { mcpAgent } from "./server-mcp.ts";
import { type Caller, callerAt, newServerRoom, type ServerRoom } from "./server-room.ts";

const SECRET = "a secret of thirty-two bytes or more";
const NOON = Date.parse("2026-11-22T12:00:00Z");
const POLICY = { hardCaps: WIDE, privacy: { enabled: true, epsilonTotal: 1 } };
const BUDGET = "/security/dp-budget";
const COSTS = "/costs?userId=uid_alice&months=1";

/** Yesterday alice spent $3.117 and bob $0.50. */
async function scene(): Promise<ServerRoom & { viewer: Caller }> {
  const room = await newServerRoom({ policy: POLICY, env: { ASTRA_JWT_SECRET: SECRET } });
  room.at(NOON - 86_400_000);
  for (const [user_id, cost_usd] of [
    ["uid_alice", 2],
    ["uid_alice", 1.117],
    ["uid_bob", 0.5],
  ] as const) {
    const { session_id } = (await room.owner.post("/api/v1/agents/ada/sessions", { user_id })).body;
    await room.owner.post(`/api/v1/sessions/${session_id}/usage`, { input_tokens: 0, output_tokens: 0, cost_usd });
  }
  room.at(NOON);
  return { ...room, viewer: await room.callerOf("viewer") };
}

describe("over REST", () => {
  test("a viewer is told a user's cost with noise, in camelCase, until the budget is spent", async () => {
    const { viewer, owner } = await scene();
    const first = (await viewer.get(COSTS)).body;
    expect(first.totalCost).not.toBe(3.117);
    expect(first).toMatchObject({
      byAgent: {},
      byMonth: [],
      privacy: { mechanism: "laplace", epsilonPerRelease: 0.5, boundUsd: 10, endDate: "2026-11-21", withheld: [] },
    });
    expect((await viewer.get(COSTS)).body).toEqual(first);
    const breakdown = "/costs/breakdown?userId=uid_alice&startDate=2026-11-20";
    expect((await viewer.get(breakdown)).body.totalCost).toEqual(expect.any(Number));
    const { status, body } = await viewer.get(`${COSTS}&agentId=ada`);
    expect([status, body.totalCost]).toEqual([200, null]);
    expect(body.privacy).toMatchObject({ withheld: ["uid_alice"] });
    expect((await owner.get(COSTS)).body.totalCost).toBe(3.117);
  });

  test("the budget of each user is listed by the page, in Open Astra's words", async () => {
    const { viewer } = await scene();
    await viewer.get(COSTS);
    const { status, body } = await viewer.get(`${BUDGET}?limit=1`);
    expect(status).toBe(200);
    expect(body).toEqual({
      workspaceId: "default",
      enabled: true,
      mechanism: "laplace",
      epsilonTotal: 1,
      epsilonPerRelease: 0.5,
      delta: 0.000001,
      bounds: { costUsd: 10, tokens: null, toolCalls: null, charges: null },
      users: [
        {
          uid: "uid_alice",
          total: 1,
          spent: 0.5,
          remaining: 0.5,
          releases: 1,
          resets: 0,
          resetAt: null,
          lifetimeSpent: 0.5,
        },
      ],
      nextCursor: "uid_alice",
    });
    const next = (await viewer.get(`${BUDGET}?limit=1&cursor=uid_alice`)).body;
    expect(next).toMatchObject({ users: [{ uid: "uid_bob", spent: 0 }], nextCursor: null });
  });

  test("it is reset by an owner only, and the audit says so", async () => {
    const room = await scene();
    const { viewer, owner } = room;
    await viewer.get(COSTS);
    for (const caller of [viewer, await room.callerOf("operator"), await room.callerOf("agent", "ada")])
      expect((await caller.post(`${BUDGET}/reset`, { uid: "uid_alice" })).status).toBe(403);
    const reset = await owner.post(`${BUDGET}/reset`, { uid: "uid_alice" }, { "idempotency-key": "once" });
    expect(reset.status).toBe(200);
    expect(reset.body).toMatchObject({ uid: "uid_alice", spent: 0, resets: 1, lifetimeSpent: 0.5 });
    expect((await owner.post(`${BUDGET}/reset`, { uid: "uid_alice" }, { "idempotency-key": "once" })).body).toEqual(
      reset.body,
    );
    const { entries } = (await owner.get("/api/v1/audit")).body as unknown as { entries: object[] };
    expect(entries[0]).toMatchObject({ action: "reset_privacy_budget", target: "user uid_alice", role: "owner" });
  });

  test.each([
    [{}, 422],
    [{ uid: "" }, 422],
    [{ uid: "uid_alice", user: 1 }, 422],
    [{ uid: "uid_nobody" }, 404],
  ])("a reset of %j is answered %d", async (body, status) => {
    const { owner } = await scene();
    expect((await owner.post(`${BUDGET}/reset`, body)).status).toBe(status);
  });

  test("a viewer whose token's subject is the user sees their own as it is; one for somebody else does not", async () => {
    const { url } = await scene();
    const as = async (sub: string) => {
      const token = await new SignJWT({ iss: "astra-budget", aud: "astra-budget", sub, role: "viewer" })
        .setProtectedHeader({ alg: "HS256" })
        .setIssuedAt()
        .setExpirationTime("1m")
        .sign(new TextEncoder().encode(SECRET));
      return (await callerAt(url, { authorization: `Bearer ${token}` }).get(COSTS)).body.totalCost;
    };
    expect(await as("uid_alice")).toBe(3.117);
    expect(await as("uid_bob")).not.toBe(3.117);
  });

  test("over MCP it is the same answer, and what is withheld is said in words", async () => {
    const room = await scene();
    const agent = await mcpAgent(room.url, await room.keyOf("viewer"));
    const args = { user_id: "uid_alice", months: 1 };
    const { data } = await agent.call("get_costs", args);
    expect(data.total_cost_usd).toBe((await room.viewer.get(COSTS)).body.totalCost);
    await agent.call("get_costs", { ...args, agent_id: "ada" });
    expect((await agent.call("get_costs", { ...args, agent_id: "eve" })).text).toMatch(/^Get costs: withheld from/);
  });
});

describe("at the terminal", () => {
  test("the budget is a table, a reset says what it does not undo, and costs are as they are", async () => {
    const room = newRoom("privacy: { enabled: true }\n");
    const off = newRoom();
    expect((await off.run(["privacy", "budget"])).stdout).toMatch(/^Off: .*\n\nNo users yet/);
    const { openSqlite } = await import("../../src/ledger/sqlite.ts");
    const { worldOf } = await import("../world.ts");
    const ledger = await openSqlite(room.ledger);
    const world = await worldOf({ ledger, policy: POLICY, start: NOON - 86_400_000 });
    await spend(world, 3.117, { user_id: "uid_alice" });
    world.at(NOON);
    await told(world, { user_id: "uid_alice" });
    expect((await budgetOf(world, "uid_alice")).spent).toBe(0.5);
    await ledger.close();
    const shown = await room.run(["privacy", "budget", "--user", "uid_alice"]);
    expect(shown).toMatchObject({ code: 0, stderr: "" });
    expect(shown.stdout).toMatch(/^On: .*epsilon 0\.5 for each number/);
    expect(shown.stdout).toMatch(/^uid_alice +10 +0\.5 +9\.5 +1 +0 +0\.5$/m);
    const reset = await room.run(["privacy", "reset", "uid_alice", "--reason", "asked her"]);
    expect(reset).toMatchObject({ code: 0, stderr: "" });
    expect(reset.stdout).toContain("10 of 10 epsilon may be told again. Over all time it is 0.5");
    expect((await room.run(["audit"])).stdout).toMatch(/terminal +reset_privacy_budget +user uid_alice/);
    expect((await room.run(["privacy", "reset", "uid_nobody"])).code).toBe(4);
    expect((await room.run(["privacy"])).stderr).toMatch(/expected one of: privacy budget, privacy reset/);
    expect(await room.json(["costs", "--user", "uid_alice", "--from", "2026-11-01"])).toMatchObject({
      total_cost_usd: 3.117,
    });
  });
});
