// Answers of operations as text for a person at a terminal.
import { bar, type Column, counted, dollars, shownText, table } from "./table.ts";
import { type Answer, count, cut, type Line, money, text } from "./terminal-columns.ts";

export function sessionsText(answer: Answer): string {
  const columns = [
    text("session", "session_id"),
    text("agent", "agent_id"),
    text("task", "task_id"),
    text("status", "status"),
    money("cost", "cost_usd"),
    money("of", "max_cost_usd"),
    count("tokens", "tokens"),
    text("started", "started_at"),
    { title: "error", align: "left", cell: (row) => cut(String(row.error ?? "-"), 60) } satisfies Column<Line>,
  ];
  return table(answer.sessions as Line[], columns, "No sessions yet: agents open them with open_session.");
}

export function stopsText(answer: Answer): string {
  return table(
    answer.stops as Line[],
    [text("scope", "scope"), text("id", "scope_id"), text("reason", "reason"), text("since", "created_at")],
    "No stop is in force.",
  );
}

export function tasksText(answer: Answer): string {
  const rows = (answer.tasks as Record<string, unknown>[]).map((task) => ({
    ...task,
    depends_on: (task.depends_on as string[]).join(", ") || null,
  })) as Line[];
  const columns = [
    text("task", "task_id"),
    text("title", "title"),
    text("status", "status"),
    money("limit", "cost_limit_usd"),
    money("spent", "spent_usd"),
    text("team", "team_id"),
    text("waits for", "depends_on"),
  ];
  return table(
    rows,
    columns,
    "No tasks: add one with `astra-budget task add ID --title TEXT`, or list them in astra.yml.",
  );
}

export function taskText(task: Answer): string {
  const limit = task.cost_limit_usd === null ? "no limit of its own" : `limit ${dollars(Number(task.cost_limit_usd))}`;
  return shownText(
    `Task ${task.task_id} (${task.title}): ${task.status}, ${limit}, ${dollars(Number(task.spent_usd))} spent.`,
  );
}

export function endText(answer: Answer): string {
  if (answer.already_ended) return `Session ${answer.session_id} had ended already (${answer.status}).`;
  const cost = dollars(Number((answer.totals as { tree_cost_usd: number }).tree_cost_usd));
  return `Ended ${answer.session_id} and ${counted(answer.ended_children, "session")} below it; ${counted(answer.released_holds, "hold")} released; ${cost} spent in all.`;
}

/** A verdict with every limit as a bar. */
export function verdictText(answer: Answer): string {
  const verdict = answer.verdict as { decision: string; message: string; limits: Line[] };
  const shown = (limit: Line, key: string) =>
    limit.measure === "cost_usd" ? dollars(Number(limit[key])) : Number(limit[key]).toLocaleString("en-US");
  const limits = table(
    verdict.limits,
    [
      { title: "scope", align: "left", cell: (limit) => `${limit.scope} ${limit.scope_id}` },
      text("window", "window"),
      text("measure", "measure"),
      { title: "limit", align: "right", cell: (limit) => shown(limit, "limit") },
      { title: "spent", align: "right", cell: (limit) => shown(limit, "spent") },
      { title: "held", align: "right", cell: (limit) => shown(limit, "held") },
      { title: "left", align: "right", cell: (limit) => shown(limit, "remaining") },
      {
        title: "used",
        align: "left",
        cell: (limit) =>
          bar(Number(limit.limit) > 0 ? (Number(limit.spent) + Number(limit.held)) / Number(limit.limit) : 1),
      },
    ],
    "No limit bears on this.",
  );
  return `${verdict.decision.toUpperCase()}: ${shownText(verdict.message)}\n\n${limits}`;
}

export function verifyText(answer: Answer): string {
  const whole = `${counted(answer.charges, "charge")}, ${counted(answer.open_holds, "open hold")}, ${counted(answer.balances, "balance")}`;
  if (answer.ok) return `The ledger is consistent: ${whole}.`;
  const rows = answer.differences as Line[];
  return `${counted(rows.length, "difference")} in ${whole}:\n\n${table(rows, [text("what", "what"), text("key", "key"), text("stored", "stored"), text("computed", "computed")], "")}`;
}
