// An agent's sessions, the newest above; those that are open can be stopped or ended.
import { endSession, stopSpending } from "../actions.ts";
import { mayAct } from "../api.ts";
import { el, name, put } from "../dom.ts";
import { compact, duration, number } from "../format.ts";
import { mark, usd } from "../marks.ts";
import { type PageContext, pageLink } from "../page.ts";
import { dataTable } from "../table.ts";
import type { AgentPart } from "./agent.ts";

/** GET /api/v1/agents/{agent_id}/sessions. */
export type AgentSessions = { readonly sessions: readonly Session[]; readonly next_cursor: string | null };
type Session = {
  readonly session_id: string;
  readonly agent_id: string;
  readonly task_id: string | null;
  readonly model: string | null;
  readonly status: string;
  readonly started_at: string;
  readonly duration_ms: number;
  readonly cost_usd: number;
  readonly max_cost_usd: number;
  readonly tokens: number;
  readonly tool_calls: number;
};

/** The most that the server tells at once. */
export const MOST_SESSIONS = 500;

export function sessionsPart(
  { me, clock }: PageContext,
  ask: { readonly again: () => void; readonly more: () => void },
): AgentPart {
  const table = dataTable<Session>({
    caption: "Sessions of an agent",
    // An ended session has other buttons than an open one.
    keyOf: ({ session_id, status }) => `${session_id} ${status}`,
    empty: "This agent has opened no session yet.",
    csv: true,
    columns: [
      { title: "Started", value: ({ started_at }) => started_at, cell: ({ started_at }) => clock.dateTime(started_at) },
      { title: "Status", value: ({ status }) => status, cell: ({ status }) => mark(status) },
      { title: "Task", value: ({ task_id }) => task_id, cell: ({ task_id }) => name(task_id) },
      { title: "Model", value: ({ model }) => model, cell: ({ model }) => name(model) },
      {
        title: "Lasted",
        kind: "number",
        value: ({ duration_ms }) => duration_ms,
        cell: ({ duration_ms }) => duration(duration_ms),
      },
      {
        title: "Tokens",
        kind: "number",
        value: ({ tokens }) => tokens,
        cell: ({ tokens }) => el("span", { title: number(tokens) }, compact(tokens)),
      },
      { title: "Tool calls", kind: "number", value: ({ tool_calls }) => tool_calls },
      { title: "Cost", kind: "number", value: ({ cost_usd }) => cost_usd, cell: ({ cost_usd }) => usd(cost_usd) },
      {
        title: "At most",
        kind: "number",
        value: ({ max_cost_usd }) => max_cost_usd,
        cell: ({ max_cost_usd }) => usd(max_cost_usd),
      },
      {
        title: "Actions",
        value: () => null,
        buttons: (row: () => Session) => [treeOf(row()), ...(mayAct(me) ? buttonsOf(row, ask.again) : [])],
      },
    ],
  });
  const more = el("button", { type: "button", hidden: true, onclick: ask.more }, `Show the newest ${MOST_SESSIONS}`);
  const rest = el("p", { class: "hint" });
  return {
    element: el(
      "section",
      { "aria-labelledby": "sessions" },
      el("h2", { id: "sessions" }, "Sessions"),
      table.element,
      more,
      rest,
    ),
    show({ sessions: { sessions, next_cursor } }) {
      table.update(sessions);
      const isAll = next_cursor === null;
      more.hidden = isAll || sessions.length >= MOST_SESSIONS;
      put(rest, !isAll && sessions.length >= MOST_SESSIONS ? "Older sessions are told by the API by the page." : null);
    },
  };
}

const treeOf = ({ session_id, started_at }: Session): HTMLElement =>
  el(
    "a",
    { href: pageLink("swarms", { session: session_id }), "aria-label": `Tree of the session of ${started_at}` },
    "Tree",
  );

function buttonsOf(row: () => Session, again: () => void): HTMLElement[] {
  const { status, session_id: id, started_at } = row();
  if (status !== "open") return [];
  const button = (word: string, run: () => Promise<boolean>) => {
    const onclick = async () => {
      if (await run()) again();
    };
    return el("button", { type: "button", "aria-label": `${word} the session of ${started_at}`, onclick }, word);
  };
  return [button("Stop", () => stopSpending({ kind: "session", id })), button("End", () => endSession(row()))];
}
