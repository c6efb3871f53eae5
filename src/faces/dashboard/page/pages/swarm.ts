// One swarm: what it came to, and its tree.
import { Problem, read } from "../api.ts";
import { el, name, put } from "../dom.ts";
import { mark, usd } from "../marks.ts";
import { kept, type Page, type PageContext, pageLink } from "../page.ts";
import { swarmTree, type TreeSession } from "./swarm-tree.ts";
import type { Swarm } from "./swarms.ts";

type Answer = Swarm & { readonly tree: readonly TreeSession[]; readonly left_out: number };

export function swarmPage({ me, live, clock }: PageContext, session: string): Page {
  const facts = el("p", {});
  const more = el("p", { class: "hint" });
  const tree = swarmTree({ me, clock, asked: session, changed: () => fresh.again() });
  const load = () => read<Answer>(`/api/v1/swarms/${encodeURIComponent(session)}`).catch(whereItIs);
  const fresh = kept(live, load, (swarm) => {
    put(
      facts,
      "Opened by ",
      name(swarm.agent_id),
      ` on ${clock.dateTime(swarm.started_at)}. `,
      swarm.sessions === 1 ? "It opened no other session." : `${swarm.sessions} sessions, ${swarm.open} of them open.`,
      " Together they cost ",
      usd(swarm.tree_cost_usd),
      " of ",
      usd(swarm.max_cost_usd),
      ". ",
      mark(swarm.status),
    );
    tree.update(swarm.tree);
    put(more, swarm.left_out > 0 ? `${swarm.left_out} more sessions are counted, but not shown.` : null);
  });
  return {
    element: el(
      "div",
      { class: "page" },
      el("p", {}, el("a", { href: pageLink("swarms") }, "All swarms")),
      el(
        "section",
        { "aria-labelledby": "swarm" },
        el("h2", { id: "swarm" }, "The tree of a session"),
        fresh.status,
        facts,
        tree.element,
        more,
      ),
    ),
    close: fresh.close,
  };
}

/** An id from an old link. */
function whereItIs(error: unknown): never {
  if (error instanceof Problem && (error.status === 404 || error.status === 422))
    throw new Problem(error.status, { detail: "There is no such session here. All swarms are listed above." });
  throw error;
}
