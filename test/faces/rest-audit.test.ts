// The audit over REST: a row for each change, with who, when, before, after and why.
import { describe, expect, test } from "vitest";
import { WIDE } from "../world.ts";
import { type Caller, callerAt, newServerRoom, type ServerRoom, tokenFor } from "./server-room.ts";

const POLICY = {
  workspace: { id: "home" },
  hardCaps: WIDE,
  teams: [{ id: "eng", dailyCostLimitUsd: 5 }],
  agents: [{ id: "ada", team: "eng" }],
  tasks: [{ id: "t", title: "T", team: "eng" }],
};
const SOON = new Date(Date.now() + 3_600_000).toISOString();

type Entry = Record<string, unknown> & {
  readonly actor: string;
  readonly before: object | null;
  readonly after: object | null;
};
const entriesOf = async (by: Caller): Promise<Entry[]> => (await by.get("/api/v1/audit")).body.entries as Entry[];
const newestOf = async (by: Caller): Promise<Entry | undefined> => (await entriesOf(by))[0];

/** Another operator than the owner, with its key's id. */
async function operatorOf({ owner, url }: ServerRoom): Promise<{ by: Caller; id: string }> {
  const { key_id, secret } = (await owner.post("/api/v1/keys", { name: "op", role: "operator" })).body;
  return { by: callerAt(url, { "x-api-key": secret }), id: key_id };
}

describe("each change is a row with who, when, before, after and why", () => {
  test("a team's limits", async () => {
    const room = await newServerRoom({ policy: POLICY });
    const { by, id } = await operatorOf(room);
    await by.patch("/api/v1/settings/teams/eng", { daily_cost_limit_usd: 9, reason: "busy day" });
    const entry = await newestOf(room.owner);
    expect(entry).toMatchObject({
      actor: id,
      role: "operator",
      action: "set_team_limits",
      target: "team eng",
      before: { daily_cost_limit_usd: 5 },
      after: { daily_cost_limit_usd: 9 },
      why: "busy day",
    });
    expect(Math.abs(Date.now() - Date.parse(String(entry?.at)))).toBeLessThan(10_000);
  });

  test("a grant, and its end", async () => {
    const room = await newServerRoom({ policy: POLICY });
    const { by, id } = await operatorOf(room);
    const grant = { scope: "team", scope_id: "eng", amount: 2, expires_at: SOON, reason: "a demo" };
    const { grant_id } = (await by.post("/api/v1/grants", grant)).body;
    expect(await newestOf(room.owner)).toMatchObject({
      actor: id,
      action: "grant",
      target: "team eng day cost_usd",
      before: { limit: 5 },
      after: { limit: 7, grant_id, expires_at: SOON },
      why: "a demo",
    });
    await by.delete(`/api/v1/grants/${grant_id}?reason=over`);
    expect(await newestOf(room.owner)).toMatchObject({
      action: "revoke_grant",
      before: { grant_id, amount: 2 },
      after: null,
      why: "over",
    });
  });

  test("a stop, and its end", async () => {
    const room = await newServerRoom({ policy: POLICY });
    const { by, id } = await operatorOf(room);
    const { stop_id } = (await by.post("/api/v1/stops", { agent_id: "ada", reason: "It loops." })).body;
    expect(await newestOf(room.owner)).toMatchObject({
      actor: id,
      action: "stop",
      target: "agent ada",
      before: null,
      after: { stop_id },
      why: "It loops.",
    });
    await by.delete(`/api/v1/stops/${stop_id}?reason=mended`);
    expect(await newestOf(room.owner)).toMatchObject({
      action: "resume",
      before: { stop_id },
      after: null,
      why: "mended",
    });
  });

  test("a task added and changed", async () => {
    const room = await newServerRoom({ policy: POLICY });
    await room.owner.post("/api/v1/teams/eng/tasks", { task_id: "n", title: "N", tags: ["budget:1"] });
    expect(await newestOf(room.owner)).toMatchObject({
      action: "add_task",
      target: "task n",
      before: null,
      after: { title: "N", tags: ["budget:1"] },
    });
    await room.owner.patch("/api/v1/teams/eng/tasks/n", { tags: ["budget:4"], reason: "more of it" });
    expect(await newestOf(room.owner)).toMatchObject({
      action: "update_task",
      before: { tags: ["budget:1"] },
      after: { tags: ["budget:4"] },
      why: "more of it",
    });
  });

  test("a key made and revoked, by a token as by its key, and never its secret or hash", async () => {
    const room = await newServerRoom({ policy: POLICY });
    const { keys } = (await room.owner.get("/api/v1/keys")).body as unknown as { keys: { key_id: string }[] };
    const by = callerAt(room.url, { authorization: `Bearer ${await tokenFor(room.owner)}` });
    const { key_id, secret } = (await by.post("/api/v1/keys", { name: "ci", role: "viewer", reason: "for CI" })).body;
    expect(await newestOf(room.owner)).toMatchObject({
      actor: keys[0]?.key_id,
      role: "owner",
      action: "create_key",
      target: `key ${key_id}`,
      before: null,
      after: { name: "ci", role: "viewer", revoked_at: null },
      why: "for CI",
    });
    await by.delete(`/api/v1/keys/${key_id}?reason=done`);
    const revoked = await newestOf(room.owner);
    expect(revoked).toMatchObject({
      action: "revoke_key",
      before: { revoked_at: null },
      after: { revoked_at: expect.any(String) },
      why: "done",
    });
    const { text } = await room.owner.get("/api/v1/audit");
    expect(text).not.toContain(secret);
    expect(text).not.toContain("secret_hash");
  });

  test("the first key, the policy at the start, and another policy at the next", async () => {
    const room = await newServerRoom({ policy: POLICY });
    const first = (await entriesOf(room.owner)).reverse();
    expect(first.map((entry) => [entry.actor, entry.action])).toEqual([
      ["server start", "policy_loaded"],
      ["first start", "create_key"],
    ]);
    const later = await newServerRoom({ beside: room, policies: [POLICY] });
    expect(await entriesOf(later.owner)).toHaveLength(2);
  });

  test("an operator's end of a session; an agent's own, and its spending, are none", async () => {
    const room = await newServerRoom({ policy: POLICY });
    const ada = await room.callerOf("agent", "ada");
    const before = (await entriesOf(room.owner)).length;
    const open = async () => (await ada.post("/api/v1/agents/ada/sessions")).body.session_id;
    const [one, two] = [await open(), await open()];
    await ada.post(`/api/v1/sessions/${one}/usage`, { input_tokens: 1, output_tokens: 1 });
    await ada.post(`/api/v1/sessions/${one}/end`);
    expect(await entriesOf(room.owner)).toHaveLength(before);
    await room.owner.post(`/api/v1/sessions/${two}/end`);
    expect(await newestOf(room.owner)).toMatchObject({ action: "end_session", target: `session ${two}` });
  });

  test("what is refused is none", async () => {
    const room = await newServerRoom({ policy: POLICY });
    const ada = await room.callerOf("agent", "ada");
    const before = await entriesOf(room.owner);
    await ada.patch("/api/v1/settings/teams/eng", { daily_cost_limit_usd: 9 });
    await room.owner.patch("/api/v1/settings/teams/none", { daily_cost_limit_usd: 9 });
    await room.owner.patch("/api/v1/settings/teams/eng", { daily_cost_limit_usd: -9 });
    await room.owner.post("/api/v1/stops", { session_id: "ses_0", reason: "x" });
    expect(await entriesOf(room.owner)).toEqual(before);
  });
});
