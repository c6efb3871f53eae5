// Requests that are wrong in themselves: their method, their body, its type, its length, its fields.
import { describe, expect, test } from "vitest";
import { WIDE } from "../world.ts";
import { callerAt, newServerRoom, rawRequest, type ServerRoom } from "./server-room.ts";

const POLICY = { hardCaps: WIDE, teams: [{ id: "eng", dailyCostLimitUsd: 5 }], agents: [{ id: "ada", team: "eng" }] };
const OPEN = "/api/v1/agents/ada/sessions";
const USAGE = { input_tokens: 1, output_tokens: 1, cost_usd: 0.001 };
const MEBIBYTE = 1_048_576;

/** A room with an open session, and what was spent in it so far. */
async function sessionRoom(): Promise<ServerRoom & { usage: string; spent(): Promise<unknown> }> {
  const room = await newServerRoom({ policy: POLICY });
  const { session_id } = (await room.owner.post(OPEN)).body;
  const spent = async () => {
    const [session] = (await room.owner.get("/api/v1/sessions")).body.sessions as Record<string, unknown>[];
    return [session?.cost_usd, session?.tokens];
  };
  return { ...room, usage: `/api/v1/sessions/${session_id}/usage`, spent };
}

describe("a method that a resource does not know is 405, and Allow says which it knows", () => {
  test.each([
    ["DELETE", "/api/v1/sessions", "GET"],
    ["GET", "/api/v1/sessions/ses_0/usage", "POST"],
    ["PUT", OPEN, "POST, GET"],
    ["POST", "/api/v1/settings/teams/eng", "GET, PATCH"],
    ["DELETE", "/api/v1/teams/eng/tasks/t", "PATCH"],
    ["PATCH", "/api/v1/stops", "POST, GET"],
    ["GET", "/api/v1/stops/stp_0", "DELETE"],
    ["POST", "/costs", "GET"],
    ["DELETE", "/security/dp-budget", "GET"],
    ["GET", "/security/dp-budget/reset", "POST"],
    ["OPTIONS", "/costs", "GET"],
    ["GET", "/auth/token", "POST"],
    ["PUT", "/auth/session", "GET, POST, DELETE"],
    ["POST", "/openapi.json", "GET"],
    ["POST", "/metrics", "GET"],
    ["PUT", "/mcp", "GET, POST, DELETE"],
  ])("%s %s", async (method, path, allow) => {
    const { owner } = await newServerRoom({ policy: POLICY });
    const { status, headers } = await owner.send(method, path);
    expect(status).toBe(405);
    const known = (text: string | null) => new Set(text?.split(", ").filter((each) => each !== "HEAD"));
    expect(known(headers.get("allow"))).toEqual(known(allow));
  });

  test("HEAD answers as GET does, without a body", async () => {
    const { owner } = await newServerRoom();
    const { status, text } = await owner.send("HEAD", "/costs");
    expect([status, text]).toEqual([200, ""]);
  });
});

describe("a body", () => {
  test.each([
    ["that is cut", '{"input_tokens": 1, "output_tok'],
    ["that is not JSON", "input_tokens=1&output_tokens=1"],
    ["of blanks", "   "],
    ["that is NaN", '{"input_tokens": NaN, "output_tokens": 1}'],
    ["of two values", "{}{}"],
  ])("%s is 400 and counts for nothing", async (_, text) => {
    const { owner, usage, spent } = await sessionRoom();
    const { status, body, headers } = await owner.send("POST", usage, { text });
    expect([status, body.code, headers.get("content-type")]).toEqual([400, "invalid_json", "application/problem+json"]);
    expect(await spent()).toEqual([0, 0]);
  });

  test.each(["application/x-www-form-urlencoded", "text/plain", "application/jsonx", "multipart/form-data", ""])(
    "of the type %j is 415 and counts for nothing",
    async (type) => {
      const { owner, usage, spent } = await sessionRoom();
      const sending = { body: USAGE, headers: { "content-type": type } };
      const { status, body } = await owner.send("POST", usage, sending);
      expect([status, body.code]).toEqual([415, "unsupported_media_type"]);
      expect(await spent()).toEqual([0, 0]);
    },
  );

  test.each(["application/json", "application/json; charset=utf-8", "Application/JSON ;charset=UTF-8"])(
    "of the type %s is read",
    async (type) => {
      const { owner, usage } = await sessionRoom();
      expect((await owner.send("POST", usage, { body: USAGE, headers: { "content-type": type } })).status).toBe(200);
    },
  );

  test("over a mebibyte is 413 on every route, with its length told or not, and counts for nothing", async () => {
    const { owner, usage, spent, url } = await sessionRoom();
    const text = JSON.stringify({ ...USAGE, error: "x".repeat(MEBIBYTE) });
    for (const path of [usage, OPEN, "/api/v1/stops", "/mcp"]) {
      expect((await owner.send("POST", path, { text })).status, path).toBe(413);
      const stream = new Blob([text]).stream();
      const chunked = { method: "POST", body: stream, duplex: "half" as const };
      const headers = { ...owner.headers, "content-type": "application/json" };
      expect((await fetch(new URL(path, url), { ...chunked, headers })).status, `${path}, in chunks`).toBe(413);
    }
    expect(await spent()).toEqual([0, 0]);
    expect((await owner.post(usage, USAGE)).status).toBe(200);
  });

  test("is no longer waited for where its announced length is too much", async () => {
    const { owner, usage, url } = await sessionRoom();
    const headers = {
      ...owner.headers,
      host: url.host,
      "content-type": "application/json",
      "content-length": String(10 * MEBIBYTE),
    };
    const { status } = await rawRequest(url, "POST", usage, headers);
    expect(status).toBe(413);
  });

  test("of a caller that is not let in is not read", async () => {
    const { url, usage } = await sessionRoom();
    expect((await callerAt(url, {}).send("POST", usage, { text: "{" })).status).toBe(401);
  });
});

describe("a body whose fields are wrong is 422 with every field's fault, and counts for nothing", () => {
  test.each([
    [
      "Entourage's own names",
      { tokens_in: 2500, tokens_out: 800 },
      ["input_tokens", "output_tokens", "tokens_in", "tokens_out"],
    ],
    ["nothing", {}, ["input_tokens", "output_tokens"]],
    ["half of it", { input_tokens: 5 }, ["output_tokens"]],
    ["texts for numbers", { input_tokens: "5", output_tokens: "6" }, ["input_tokens", "output_tokens"]],
    ["amounts below zero", { input_tokens: -1, output_tokens: 1, cost_usd: -1 }, ["input_tokens", "cost_usd"]],
    ["parts of tokens", { input_tokens: 1.5, output_tokens: 1 }, ["input_tokens"]],
    ["one field too many", { ...USAGE, cost: 5 }, ["cost"]],
    ["the session in the body", { ...USAGE, session_id: "ses_0" }, ["session_id"]],
    ["an instant that is none", { ...USAGE, occurred_at: "yesterday" }, ["occurred_at"]],
  ])("%s", async (_, sent, named) => {
    const { owner, usage, spent } = await sessionRoom();
    const { status, body, headers } = await owner.post(usage, sent);
    expect([status, body.code, headers.get("content-type")]).toEqual([
      422,
      "invalid_input",
      "application/problem+json",
    ]);
    const told = body.faults.map(({ path, message }) => `${path} ${message}`);
    expect(told).toHaveLength(named.length);
    for (const name of named)
      expect(
        told.some((text) => text.includes(name)),
        `${name} in ${told}`,
      ).toBe(true);
    expect(await spent()).toEqual([0, 0]);
  });

  test.each([[[USAGE]], [null], ["usage"], [5], [true]])("no object but %j", async (sent) => {
    const { owner, usage, spent } = await sessionRoom();
    const { status, body } = await owner.post(usage, sent);
    expect([status, body.code]).toEqual([422, "invalid_input"]);
    expect(await spent()).toEqual([0, 0]);
  });

  test("none at all", async () => {
    const { owner, usage, spent } = await sessionRoom();
    expect((await owner.post(usage)).status).toBe(422);
    expect(await spent()).toEqual([0, 0]);
  });

  test("a guess at a name is helped", async () => {
    const { owner, usage } = await sessionRoom();
    const { body } = await owner.post(usage, { ...USAGE, cost_usdd: 1 });
    expect(body.faults).toEqual([{ path: "", message: 'unknown argument "cost_usdd", did you mean cost_usd?' }]);
  });

  test.each([
    "/costs?month=3",
    "/costs?months=0",
    "/costs?months=three",
    "/costs?months=1e1",
    "/costs/breakdown?startDate=2026-02-30",
    "/costs/breakdown?startDate=2026-03-01&endDate=2026-02-01",
    "/api/v1/teams/eng/costs?days=-1",
    "/api/v1/teams/eng/costs?days=1&days=2",
    "/costs?months=1&months=2",
    "/api/v1/sessions?limit=0",
    "/api/v1/sessions?limit=501",
    "/api/v1/sessions?open=yes",
    "/api/v1/agents/ada/sessions?agent_id=eve",
    "/api/v1/agents/a%20b/budget",
    "/api/v1/agents/%3Cscript%3E/budget",
  ])("a query is checked as strictly: %s", async (path) => {
    const { owner } = await newServerRoom({ policy: POLICY });
    const { status, body } = await owner.get(path);
    expect([status, body.code]).toEqual([422, "invalid_input"]);
    expect(body.faults.length).toBeGreaterThan(0);
  });

  test("an id with a slash or of another script is one, encoded", async () => {
    const { owner } = await newServerRoom();
    for (const id of ["team/ada#1", "агент-7", "a+b@c"]) {
      const { status, body } = await owner.post(`/api/v1/agents/${encodeURIComponent(id)}/sessions`);
      expect([status, body.agent_id]).toEqual([201, id]);
    }
  });
});
