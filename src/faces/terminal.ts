// The terminal face: the operator's commands, each a way to fill one operation's input and to show its answer.
import { checkBudget } from "../operations/check-budget.ts";
import { endSession } from "../operations/end-session.ts";
import { getCosts } from "../operations/get-costs.ts";
import { listSessions } from "../operations/list-sessions.ts";
import { listStops, resume, stop } from "../operations/stop.ts";
import { addTask, listTasks, updateTask } from "../operations/tasks.ts";
import { verifyLedger } from "../operations/verify-ledger.ts";
import { authorityCommands } from "./terminal-authority.ts";
import { chargeCommands } from "./terminal-charges.ts";
import { type Command, command, option } from "./terminal-command.ts";
import { costFilterOptions } from "./terminal-cost-filter.ts";
import { costsCsv, costsText } from "./terminal-costs.ts";
import { incidentCommands } from "./terminal-incidents.ts";
import { ledgerCommands } from "./terminal-ledgers.ts";
import { privacyCommands } from "./terminal-privacy.ts";
import { endText, sessionsText, stopsText, tasksText, taskText, verdictText, verifyText } from "./terminal-text.ts";

const target = {
  session: option("session_id", "text", "a session"),
  agent: option("agent_id", "text", "an agent"),
  task: option("task_id", "text", "a task"),
  team: option("team_id", "text", "a team"),
  all: option("all", "flag", "the whole workspace"),
};

const ANY_TARGET = Object.keys(target);

/** 3: the budget denies; a script can tell that from every other failure. */
const DENIED = 3;
const deniedCode = (answer: Record<string, unknown>): number =>
  (answer.verdict as { decision: string }).decision === "deny" ? DENIED : 0;

export const commands: readonly Command[] = [
  command("costs", getCosts, {
    help: "what was spent, by agent, provider, month and tool, and where that is going",
    options: {
      ...costFilterOptions,
      by: option("group_by", "list", "more breakdowns: model,task,team,user,role,day"),
      limit: option("limit", "number", "sessions to list (20)"),
    },
    text: costsText,
    csv: costsCsv,
  }),
  command("sessions", listSessions, {
    help: "the newest sessions with their ids",
    options: { open: option("open", "flag", "open ones only"), limit: option("limit", "number", "how many (20)") },
    text: sessionsText,
  }),
  command("check", checkBudget, {
    help: "what is left for an agent or session, or whether an estimate fits; exits 3 when the budget denies",
    options: {
      agent: option("agent_id", "text", "an agent that has no session yet"),
      session: option("session_id", "text", "a session: all its limits"),
      task: option("task_id", "text", "with --agent: the task it would work on"),
      "cost-usd": option("estimate.cost_usd", "number", "would this many dollars fit?"),
      "input-tokens": option("estimate.input_tokens", "number", "or these tokens, priced by --model"),
      "output-tokens": option("estimate.output_tokens", "number", "and these"),
      "tool-calls": option("estimate.tool_calls", "number", "and these calls of tools"),
      model: option("estimate.model", "text", "e.g. claude-sonnet-4-20250514 (the session's)"),
    },
    needs: [["session", "agent"]],
    text: verdictText,
    exitCode: deniedCode,
  }),
  command("stop", stop, {
    help: "the kill switch: deny all spending on one thing from now on",
    options: { ...target, reason: option("reason", "text", 'told to the agents, e.g. "Runaway loop"') },
    needs: [ANY_TARGET, ["reason"]],
    text: (answer) =>
      `Stopped: ${answer.scope} ${answer.scope_id} (${answer.open_sessions} open sessions). Lift it with: astra-budget resume ${flagOf(answer)}`,
  }),
  command("resume", resume, {
    help: "lift a stop",
    options: target,
    needs: [ANY_TARGET],
    text: (answer) => `Resumed: ${answer.scope} ${answer.scope_id}.`,
  }),
  command("stops", listStops, { help: "the stops in force", options: {}, text: stopsText }),
  command("end", endSession, {
    help: "end a session and all open ones below it",
    options: {
      session: target.session,
      status: option("status", "text", "success, error or cancelled (cancelled)"),
      error: option("error", "text", "what went wrong"),
    },
    needs: [["session"]],
    fixed: { status: "cancelled" },
    text: endText,
  }),
  ...ledgerCommands,
  ...authorityCommands,
  ...chargeCommands,
  ...incidentCommands,
  ...privacyCommands,
  command("task add", addTask, {
    help: "add a task: task add ID --title TEXT [--tag budget:0.50]",
    positional: "task_id",
    options: {
      title: option("title", "text", "what is to be done"),
      team: option("team_id", "text", "its team"),
      priority: option("priority", "text", "e.g. low"),
      type: option("task_type", "text", "e.g. bugfix"),
      tag: option("tags", "list", "e.g. budget:0.50"),
      "depends-on": option("depends_on", "list", "ids of tasks that must be done first"),
    },
    needs: [["title"]],
    text: taskText,
  }),
  command("task done", updateTask, {
    help: "mark a task done, so that what depends on it may open",
    positional: "task_id",
    options: { status: option("status", "text", "done, cancelled or open (done)") },
    fixed: { status: "done" },
    text: taskText,
  }),
  command("task list", listTasks, {
    help: "all tasks with their state, limit and spend",
    options: {},
    text: tasksText,
  }),
  command("ledger verify", verifyLedger, {
    help: "recompute everything derived from the charges; exits 1 on any difference",
    options: {},
    text: verifyText,
    exitCode: (answer) => (answer.ok ? 0 : 1),
  }),
];

function flagOf(answer: Record<string, unknown>): string {
  return answer.scope === "workspace" ? "--all" : `--${answer.scope} ${answer.scope_id}`;
}
