// The four scenes of the demo, each played by real clients on real servers.
import { type Agent, type Answer, startAgent } from "./agent.ts";

/** The command line of a server on the demo's policy and ledger. */
export type Server = readonly string[];

export async function wellBehaved(server: Server): Promise<void> {
  const agent = await startAgent("research-agent", server);
  const { session_id } = await agent.call("open_session", {
    agent_id: agent.name,
    task_id: 594,
    model: "claude-sonnet-4-20250514",
  });
  await agent.call("check_budget", {
    session_id,
    estimate: { cost_usd: 0.1, input_tokens: 6000, output_tokens: 2000 },
  });
  await agent.call("report_usage", { session_id, input_tokens: 2500, output_tokens: 800, idempotency_key: "step-1" });
  await agent.call("report_usage", {
    session_id,
    input_tokens: 6000,
    output_tokens: 1900,
    tool_calls: [{ tool: "web_search", count: 3 }],
    idempotency_key: "step-2",
  });
  await agent.call("end_session", { session_id, status: "success" });
  await agent.leave();
}

export async function retryLoop(server: Server): Promise<void> {
  const agent = await startAgent("support-agent", server);
  const { session_id } = await agent.call("open_session", { agent_id: agent.name, model: "claude-sonnet-4-20250514" });
  for (let attempt = 1; attempt <= 100; attempt++) {
    const check = await agent.call("check_budget", { session_id, estimate: { cost_usd: 0.03 }, hold: true }, "quiet");
    if (check.verdict.decision === "deny") {
      await agent.call("check_budget", { session_id, estimate: { cost_usd: 0.03 }, hold: true });
      break;
    }
    await agent.call("report_usage", {
      session_id,
      hold_id: check.hold_id,
      input_tokens: 900,
      output_tokens: 200,
      cost_usd: 0.03,
      error: "429, trying again",
    });
  }
  await agent.call("end_session", { session_id, status: "error", error: "stopped by the budget" });
  await agent.leave();
}

export async function parentAndChildren(server: Server): Promise<void> {
  const lead = await startAgent("lead-agent", server);
  const { session_id: parent } = await lead.call("open_session", { agent_id: lead.name, model: "claude-opus-5" });
  const children: { agent: Agent; session_id: unknown }[] = [];
  for (const name of ["worker-1", "worker-2", "worker-3"]) {
    const agent = await startAgent(name, server);
    const { session_id } = await agent.call("open_session", {
      agent_id: name,
      role: "analyst",
      parent_session_id: parent,
    });
    children.push({ agent, session_id });
  }
  for (const { agent, session_id } of children) {
    let wanted = 0.4;
    let check = await agent.call("check_budget", { session_id, estimate: { cost_usd: wanted }, hold: true });
    if (check.verdict.decision === "deny") {
      wanted = 0.2; // The refusal said what is left: ask for that.
      check = await agent.call("check_budget", { session_id, estimate: { cost_usd: wanted }, hold: true });
    }
    await agent.call("report_usage", {
      session_id,
      hold_id: check.hold_id,
      input_tokens: 5000,
      output_tokens: 1000,
      cost_usd: wanted,
    });
  }
  await lead.call("end_session", { session_id: parent });
  for (const { agent } of children) await agent.leave();
  await lead.leave();
}

/** Four agents, each with a server process of its own, want four cents at a time from one team's dollar. */
export async function race(server: Server): Promise<void> {
  const racers = await Promise.all([1, 2, 3, 4].map((n) => startAgent(`racer-${n}`, server)));
  // All have opened before one spends: who comes when the dollar is gone is not let in at all.
  const opened = await Promise.all(
    racers.map((racer) => racer.call("open_session", { agent_id: racer.name }, "quiet")),
  );
  const results = await Promise.all(racers.map((racer, i) => runUntilDenied(racer, opened[i]?.session_id)));
  for (const [i, { admitted, last }] of results.entries()) {
    console.log(
      `  racer-${i + 1}         ${String(admitted).padStart(2)} calls admitted, then ✗ ${last.verdict.message}`,
    );
  }
  const cents = results.reduce((sum, { admitted }) => sum + admitted * 4, 0);
  console.log(`\n  ${cents / 4} calls of $0.04 were admitted: $${(cents / 100).toFixed(2)} of the team's $1.00.`);
  if (cents !== 100) throw new Error(`the race admitted ${cents} cents of 100`);
  await Promise.all(racers.map((racer) => racer.leave()));
}

async function runUntilDenied(agent: Agent, session_id: unknown): Promise<{ admitted: number; last: Answer }> {
  for (let admitted = 0; ; admitted++) {
    const check = await agent.call("check_budget", { session_id, estimate: { cost_usd: 0.04 }, hold: true }, "quiet");
    if (check.verdict.decision === "deny") {
      await agent.call("end_session", { session_id }, "quiet");
      return { admitted, last: check };
    }
    await agent.call(
      "report_usage",
      { session_id, hold_id: check.hold_id, input_tokens: 1200, output_tokens: 150, cost_usd: 0.04 },
      "quiet",
    );
  }
}
