// Incidents over REST and as an MCP resource: what each caller sees, and how one is acknowledged.
import { expect, test } from "vitest";
import { WIDE } from "../world.ts";
import { mcpAgent } from "./server-mcp.ts";
import { newServerRoom } from "./server-room.ts";

const POLICY = { hardCaps: WIDE, agents: [{ id: "ada" }, { id: "eve" }], tasks: [{ id: "typo", task_type: "typo" }] };
const URI = "budget://incidents";

/** Ada's typo costs two dollars. */
async function scene() {
  const room = await newServerRoom({ policy: POLICY });
  const ada = await room.callerOf("agent", "ada");
  const { session_id } = (await ada.post("/api/v1/agents/ada/sessions", { task_id: "typo" })).body;
  const usage = { input_tokens: 1, output_tokens: 1, cost_usd: 2 };
  await ada.post(`/api/v1/sessions/${session_id}/usage`, usage);
  const { incidents } = (await room.owner.get("/api/v1/incidents")).body as unknown as {
    incidents: { incident_id: string }[];
  };
  return { room, ada, at: `/api/v1/incidents/${incidents[0]?.incident_id}` };
}

test("an operator lists, reads and acknowledges them; the second who does it changes nothing", async () => {
  const { room, at } = await scene();
  const operator = await room.callerOf("operator");
  expect(
    (await operator.get("/api/v1/incidents?kind=task_red_flag&scope=task&state=open")).body.incidents,
  ).toHaveLength(1);
  expect((await operator.get("/api/v1/incidents?state=acknowledged")).body.incidents).toEqual([]);
  expect((await operator.get(at)).body).toMatchObject({ kind: "task_red_flag", evidence: { red_flag_usd: 1 } });
  const first = await operator.patch(at, { note: "Known." });
  expect([first.status, first.body]).toMatchObject([200, { state: "acknowledged", note: "Known." }]);
  expect((await room.owner.patch(at, { note: "Mine." })).body).toMatchObject({ note: "Known." });
  expect((await operator.get("/api/v1/incidents?kind=tokenSpike")).status).toBe(422);
  expect((await operator.get("/api/v1/incidents/inc_none")).status).toBe(404);
});

test("another agent's is not there, over REST and as a resource", async () => {
  const { room, ada, at } = await scene();
  const eve = await room.callerOf("agent", "eve");
  expect([(await ada.get(at)).status, (await eve.get(at)).status]).toEqual([200, 404]);
  expect((await eve.get("/api/v1/incidents")).body.incidents).toEqual([]);
  const mcp = async (agent: string) => await mcpAgent(room.url, await room.keyOf("agent", agent));
  expect(JSON.parse(await (await mcp("ada")).read(URI)).incidents).toMatchObject([{ kind: "task_red_flag" }]);
  expect(JSON.parse(await (await mcp("eve")).read(URI)).incidents).toEqual([]);
  await room.owner.patch(at, { note: "Known." });
  expect(JSON.parse(await (await mcp("ada")).read(URI)).incidents).toEqual([]);
  const operator = await mcpAgent(room.url, await room.keyOf("operator"));
  expect(JSON.parse(await operator.read(URI)).incidents).toEqual([]);
});
