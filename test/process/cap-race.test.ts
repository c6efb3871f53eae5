// Eight server processes race for one team's day: exactly the cap is admitted, whoever asks, and nothing fails.
import { expect, test } from "vitest";
import type { Agent } from "../faces/clients.ts";
import { newRoom } from "../faces/room.ts";
import { ask, expectClean, leaveAll, noonZone, report, startServers } from "./servers.ts";

const PROCESSES = 8;
/** Calls under way at the same time in each process. */
const CALLERS = 3;

type Round = {
  readonly team: string;
  readonly cap: number;
  readonly price: number;
  readonly admits: number;
  readonly holds: "settle" | "keep";
};

/** Each round has a team of its own; 0.0007 does not divide its cap. */
const ROUNDS: readonly Round[] = [
  { team: "even", cap: 0.4, price: 0.002, admits: 200, holds: "settle" },
  { team: "one", cap: 0.01, price: 0.01, admits: 1, holds: "settle" },
  { team: "odd", cap: 0.1, price: 0.0007, admits: 142, holds: "settle" },
  { team: "even-kept", cap: 0.4, price: 0.002, admits: 200, holds: "keep" },
  { team: "one-kept", cap: 0.01, price: 0.01, admits: 1, holds: "keep" },
];

const policy = `
workspace: { timezone: "${noonZone()}" }
teams: [${ROUNDS.map(({ team, cap }) => `{ id: ${team}, dailyCostLimitUsd: ${cap} }`).join(", ")}]
agents: [${ROUNDS.map(({ team }) => `{ id: ${team}-agent, team: ${team} }`).join(", ")}]
`;

/** One caller: asks to hold the price until it is denied, and settles what it held if told to. */
async function spendUntilDenied(
  server: Agent,
  sessionId: string,
  price: number,
  settle: "settle" | "keep",
): Promise<number> {
  for (let admitted = 0; ; admitted++) {
    const asked = { session_id: sessionId, estimate: { cost_usd: price }, hold: true };
    const { verdict, hold_id } = await ask(server, "check_budget", asked);
    if (verdict.decision === "deny") {
      expect(verdict.binding).toMatchObject({ scope: "team", window: "day" });
      return admitted;
    }
    if (settle === "settle") await report(server, { session_id: sessionId, hold_id, cost_usd: price });
  }
}

test("eight processes that ask to hold before they spend admit exactly the cap between them", async () => {
  const room = newRoom(policy);
  const servers = await startServers(room, PROCESSES);
  for (const { team, cap, price, admits, holds } of ROUNDS) {
    const sessions = await Promise.all(
      servers.map(async (server) => {
        const { session_id } = await ask(server, "open_session", { agent_id: `${team}-agent` });
        return { server, session_id };
      }),
    );
    const admitted = await Promise.all(
      sessions.flatMap(({ server, session_id }) =>
        Array.from({ length: CALLERS }, () => spendUntilDenied(server, session_id, price, holds)),
      ),
    );
    expect([team, admitted.reduce((sum, count) => sum + count, 0)]).toEqual([team, admits]);
    const [server] = servers;
    if (!server) return;
    const { verdict } = await ask(server, "check_budget", { agent_id: `${team}-agent` });
    const total = Math.round(admits * price * 1e9) / 1e9;
    expect(verdict.limits.find((limit) => limit.scope === "team")).toMatchObject({
      limit: cap,
      spent: holds === "settle" ? total : 0,
      held: holds === "settle" ? 0 : total,
      overspend: 0,
    });
  }
  await leaveAll(servers);
  await expectClean(room);
});

test("eight processes that open children of one parent at once get exactly as many as it may have", async () => {
  const room = newRoom("agents: [{ id: lead, budget: { maxChildAgents: 5 }, quotas: { maxConcurrentChildren: 4 } }]");
  const servers = await startServers(room, PROCESSES);
  const [first] = servers;
  if (!first) return;
  const { session_id } = await ask(first, "open_session", { agent_id: "lead" });
  const child = { agent_id: "helper", parent_session_id: session_id };
  const opened = await Promise.all(servers.flatMap((server) => [0, 1].map(() => ask(server, "open_session", child))));
  expect(opened.filter((answer) => answer.session_id !== null)).toHaveLength(4);
  await leaveAll(servers);
  await expectClean(room);
});
