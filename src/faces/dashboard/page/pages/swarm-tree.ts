// A swarm's sessions as an ARIA tree grid: each with its own cost, and with all below it against both budgets.
import { endSession, stopSpending } from "../actions.ts";
import { type Me, mayAct } from "../api.ts";
import { type Child, el, name } from "../dom.ts";
import type { Clock } from "../format.ts";
import { agentLink, mark, meter, usd } from "../marks.ts";
import { arrange } from "../table.ts";
import { type Line, linesOf, type Member, stepOf } from "../tree.ts";

export type TreeSession = Member & {
  readonly agent_id: string;
  readonly depth: number;
  readonly status: string;
  readonly task_id: string | null;
  readonly started_at: string;
  readonly cost_usd: number;
  readonly tree_cost_usd: number;
  readonly max_cost_usd: number;
};

type TreeOptions = {
  readonly me: Me;
  readonly clock: Clock;
  /** The session that was asked for. */
  readonly asked: string;
  /** Called when something was done to one of them. */
  changed(): void;
};
type Shown = { readonly told: string; readonly row: HTMLTableRowElement };

const HEADS = ["Agent", "State", "Own cost", "With all below", "Of its parent's budget", "Task", "Started"];

export function swarmTree(options: TreeOptions) {
  const folded = new Set<string>();
  const shown = new Map<string, Shown>();
  let sessions: readonly TreeSession[] = [];
  let lines: readonly Line<TreeSession>[] = [];
  /** The one line that Tab leads to. */
  let current = options.asked;

  const turn = (id: string) => {
    if (!folded.delete(id)) folded.add(id);
    show();
  };
  const rowOf = (line: Line<TreeSession>): HTMLTableRowElement => {
    const id = line.node.session_id;
    const told = JSON.stringify(line);
    const known = shown.get(id);
    if (known?.told === told) return known.row;
    const row = known?.row ?? el("tr", { onfocus: () => settle(id), "data-id": id });
    shown.set(id, { told, row });
    describe(row, line);
    refill(
      row,
      cellsOf(line, options, () => turn(id)),
    );
    return row;
  };
  const settle = (id: string) => {
    current = id;
    for (const [each, { row }] of shown) row.tabIndex = each === id ? 0 : -1;
  };
  const show = () => {
    lines = linesOf(sessions, folded);
    const ids = new Set(lines.map(({ node }) => node.session_id));
    for (const id of shown.keys()) if (!ids.has(id)) shown.delete(id);
    arrange(body, lines.map(rowOf));
    settle(ids.has(current) ? current : (lines[0]?.node.session_id ?? ""));
  };
  const pressed = (event: Event) => {
    if (!(event instanceof KeyboardEvent) || event.altKey || event.ctrlKey || event.metaKey) return;
    const step = stepOf(event.key, lines, current);
    // Keys belong to the line, not to a link or button in it.
    if (!step || event.target !== shown.get(current)?.row) return;
    event.preventDefault();
    if ("turn" in step) turn(step.turn);
    else shown.get(step.goTo)?.row.focus();
  };

  const heads = [...HEADS, ...(mayAct(options.me) ? ["Actions"] : [])];
  const body = el("tbody", { role: "rowgroup" });
  const table = el(
    "table",
    { role: "treegrid", "aria-label": "Sessions of the swarm", onkeydown: pressed },
    el(
      "thead",
      { role: "rowgroup" },
      el("tr", { role: "row" }, ...heads.map((head) => el("th", { scope: "col", role: "columnheader" }, head))),
    ),
    body,
  );
  return {
    element: el("div", { class: "scroll tree" }, table),
    update(next: readonly TreeSession[]) {
      sessions = next;
      show();
    },
  };
}

function describe(row: HTMLTableRowElement, { level, position, siblings, isOpen }: Line<TreeSession>): void {
  row.setAttribute("role", "row");
  row.setAttribute("aria-level", String(level));
  row.setAttribute("aria-posinset", String(position));
  row.setAttribute("aria-setsize", String(siblings));
  if (isOpen === null) row.removeAttribute("aria-expanded");
  else row.setAttribute("aria-expanded", String(isOpen));
}

function cellsOf(line: Line<TreeSession>, options: TreeOptions, turn: () => void): HTMLElement[] {
  const { me, clock, asked } = options;
  const { node, parent, level, isOpen } = line;
  const { agent_id, tree_cost_usd: spent, max_cost_usd } = node;
  // The line itself says whether it is open, and its arrow keys fold it: this is for the mouse.
  const sign = el(
    "button",
    { type: "button", class: "fold", tabindex: "-1", "aria-hidden": "true", onclick: turn, disabled: isOpen === null },
    isOpen === null ? "·" : isOpen ? "▾" : "▸",
  );
  const first = el("span", { class: "branch" }, sign, agentLink(agent_id));
  first.style.paddingInlineStart = `${(level - 1) * 1.3}rem`;
  if (node.session_id === asked && parent !== null) first.append(" ", mark("this one"));
  const against = (label: string, limit: number) => meter(label, { measure: "cost_usd", limit, spent, held: 0 });
  const contents: Child[] = [
    first,
    mark(node.status),
    usd(node.cost_usd),
    against(`${agent_id} with all below, of its own budget`, max_cost_usd),
    parent ? against(`${agent_id} with all below, of its parent's budget`, parent.max_cost_usd) : "–",
    name(node.task_id),
    clock.dateTime(node.started_at),
  ];
  const cells = contents.map((content) => el("td", { role: "gridcell" }, content));
  return mayAct(me) ? [...cells, el("td", { role: "gridcell", class: "buttons" }, buttonsOf(node, options))] : cells;
}

/** Cells that tell the same stay: something in them may have the focus. */
function refill(row: HTMLTableRowElement, cells: readonly HTMLElement[]): void {
  for (const [i, cell] of cells.entries()) {
    const known = row.cells[i];
    if (!known) row.append(cell);
    else if (!known.isEqualNode(cell)) known.replaceWith(cell);
  }
}

function buttonsOf(node: TreeSession, { changed }: TreeOptions): HTMLElement | null {
  if (node.status !== "open") return null;
  const { session_id: id, agent_id } = node;
  const button = (word: string, run: () => Promise<boolean>) =>
    el(
      "button",
      { type: "button", "aria-label": `${word} ${agent_id}'s session`, onclick: () => run().then(changed) },
      word,
    );
  return el(
    "span",
    {},
    button("Stop", () => stopSpending({ kind: "session", id })),
    " ",
    button("End", () => endSession({ session_id: id, agent_id })),
  );
}
