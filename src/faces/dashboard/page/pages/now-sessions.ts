// The open sessions: who works on what, what it cost, how fast it goes, and which limit ends it.
import { type Sample, spendRate, withSample } from "../../../spend-rate.ts";
import { endSession, stopSpending } from "../actions.ts";
import { mayAct } from "../api.ts";
import { el, name, put, tamed } from "../dom.ts";
import { amount, compact, duration, money } from "../format.ts";
import { agentLink, mark, usd } from "../marks.ts";
import type { OpenSession } from "../now-state.ts";
import { type PageContext, pageLink } from "../page.ts";
import { dataTable } from "../table.ts";
import type { Part } from "./now.ts";

export function sessionsPart({ me, live }: PageContext): Part {
  const rates = new Rates();
  const more = el("p", { class: "hint" });
  const table = dataTable<OpenSession>({
    caption: "Open sessions",
    keyOf: ({ session_id }) => session_id,
    empty:
      "No session is open. An agent opens one with open_session; `astra-budget install claude-code` sets Claude Code up.",
    csv: true,
    ticks: true,
    columns: [
      { title: "Agent", value: ({ agent_id }) => agent_id, cell: ({ agent_id }) => agentLink(agent_id) },
      { title: "Task", value: ({ task_id }) => task_id, cell: ({ task_id }) => name(task_id) },
      { title: "Model", value: ({ model }) => model, cell: ({ model }) => name(model) },
      { title: "Verdict", value: ({ decision }) => decision, cell: verdict },
      {
        title: "Tokens",
        kind: "number",
        value: ({ tokens }) => tokens,
        cell: ({ tokens }) => el("span", { title: String(tokens) }, compact(tokens)),
      },
      { title: "Cost", kind: "number", value: ({ cost_usd }) => cost_usd, cell: ({ cost_usd }) => usd(cost_usd) },
      {
        title: "Rate",
        kind: "number",
        value: (row) => rates.of(row, live.time()),
        cell: (row) => `${money(rates.of(row, live.time()))}/h`,
      },
      {
        title: "Time left",
        kind: "number",
        value: ({ expires_at }) => Date.parse(expires_at) - live.time(),
        cell: ({ expires_at }) => duration(Date.parse(expires_at) - live.time()),
      },
      { title: "Binding limit", value: ({ binding }) => binding?.scope ?? null, cell: bindingOf },
      ...(mayAct(me)
        ? [{ title: "Actions", value: () => null, buttons: (row: () => OpenSession) => buttonsOf(row) }]
        : []),
    ],
  });
  let rows: readonly OpenSession[] = [];
  return {
    element: el(
      "section",
      { "aria-labelledby": "sessions" },
      el("h2", { id: "sessions" }, "Open sessions"),
      table.element,
      more,
    ),
    of: ["sessions", "open_sessions"],
    show({ sessions, open_sessions }) {
      rows = sessions;
      rates.add(sessions, live.time());
      table.update(rows);
      put(
        more,
        open_sessions > rows.length ? `The newest are shown; ${open_sessions - rows.length} more are open.` : null,
      );
    },
    tick() {
      table.update(rows);
    },
  };
}

const verdict = ({ decision, message }: OpenSession): HTMLElement => {
  const word = mark(decision);
  word.title = tamed(message);
  return word;
};

function bindingOf({ binding }: OpenSession): HTMLElement {
  if (!binding) return el("span", { class: "faint" }, "–");
  const left =
    binding.remaining === null || binding.measure === null
      ? ""
      : `: ${amount(binding.measure, binding.remaining)} left`;
  // Not a limit but an order or a rule: the verdict's own words say which.
  if (binding.kind !== "limit") return el("span", {}, `${binding.kind.replaceAll("_", " ")} (${binding.scope})`);
  const window = binding.window === binding.scope ? "" : ` ${binding.window}`;
  return el("span", {}, `${binding.scope}${window}${left}`);
}

function buttonsOf(row: () => OpenSession): HTMLElement[] {
  const { session_id: id, agent_id } = row();
  return [
    el("a", { href: pageLink("swarms", { session: id }), "aria-label": `Tree of ${agent_id}'s session` }, "Tree"),
    el(
      "button",
      {
        type: "button",
        "aria-label": `Stop ${agent_id}'s session`,
        onclick: () => stopSpending({ kind: "session", id }),
      },
      "Stop",
    ),
    el(
      "button",
      { type: "button", "aria-label": `End ${agent_id}'s session`, onclick: () => endSession(row()) },
      "End",
    ),
  ];
}

/** What each session cost in the last minute, as this page saw it. */
class Rates {
  readonly #samples = new Map<string, readonly Sample[]>();

  add(sessions: readonly OpenSession[], now: number): void {
    const open = new Set(sessions.map(({ session_id }) => session_id));
    for (const id of this.#samples.keys()) if (!open.has(id)) this.#samples.delete(id);
    for (const { session_id, cost_usd } of sessions)
      this.#samples.set(session_id, withSample(this.#samples.get(session_id) ?? [], { at: now, cost: cost_usd }));
  }

  of({ session_id, cost_usd, started_at }: OpenSession, now: number): number {
    const session = { cost: cost_usd, startedAt: Date.parse(started_at) };
    return spendRate(this.#samples.get(session_id) ?? [], session, now);
  }
}
