// Swarms: sessions that opened others, and one swarm's tree.
import { read } from "../api.ts";
import { el, name } from "../dom.ts";
import { agentLink, mark, meter } from "../marks.ts";
import { type Page, type PageContext, pageLink } from "../page.ts";
import { pagedList } from "../paged.ts";
import { dataTable } from "../table.ts";
import { swarmPage } from "./swarm.ts";

export type Swarm = {
  readonly session_id: string;
  readonly agent_id: string;
  readonly task_id: string | null;
  readonly status: string;
  readonly started_at: string;
  readonly ended_at: string | null;
  readonly sessions: number;
  readonly open: number;
  readonly depth: number;
  readonly cost_usd: number;
  readonly tree_cost_usd: number;
  readonly max_cost_usd: number;
};

export function swarmsPage(context: PageContext): Page {
  const session = context.params.get("session");
  return session === null ? listPage(context) : swarmPage(context, session);
}

function listPage({ live, clock }: PageContext): Page {
  const table = dataTable<Swarm>({
    caption: "Swarms",
    keyOf: ({ session_id }) => session_id,
    empty:
      "No session has opened another yet. An orchestrator opens its children with open_session and parent_session_id; they spend from its budget.",
    csv: true,
    columns: [
      {
        title: "Started",
        value: ({ started_at }) => started_at,
        cell: ({ session_id, started_at }) =>
          el("a", { href: pageLink("swarms", { session: session_id }) }, clock.dateTime(started_at)),
      },
      { title: "Agent", value: ({ agent_id }) => agent_id, cell: ({ agent_id }) => agentLink(agent_id) },
      { title: "Task", value: ({ task_id }) => task_id, cell: ({ task_id }) => name(task_id) },
      { title: "State", value: ({ status }) => status, cell: ({ status }) => mark(status) },
      { title: "Sessions", kind: "number", value: ({ sessions }) => sessions },
      { title: "Open", kind: "number", value: ({ open }) => open },
      { title: "Levels below", kind: "number", value: ({ depth }) => depth },
      {
        title: "Cost of all",
        value: ({ tree_cost_usd }) => tree_cost_usd,
        cell: ({ agent_id, tree_cost_usd, max_cost_usd }) =>
          meter(`Swarm of ${agent_id}`, {
            measure: "cost_usd",
            limit: max_cost_usd,
            spent: tree_cost_usd,
            held: 0,
          }),
      },
    ],
  });
  const list = pagedList<Swarm>(live, {
    view: table,
    async read(page) {
      const { swarms, next_cursor } = await read<{ swarms: Swarm[]; next_cursor: string | null }>(
        "/api/v1/swarms",
        page,
      );
      return { rows: swarms, next: next_cursor };
    },
  });
  return {
    element: el(
      "div",
      { class: "page" },
      el(
        "section",
        { "aria-labelledby": "swarms" },
        el("h2", { id: "swarms" }, "Sessions that opened others"),
        list.element,
      ),
    ),
    close: list.close,
  };
}
