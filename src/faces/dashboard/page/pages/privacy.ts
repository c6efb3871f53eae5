// The privacy budget: what may still be told of each user, and how it is switched on where it is off.
import { resetPrivacy } from "../actions-privacy.ts";
import { read } from "../api.ts";
import { el, name, put } from "../dom.ts";
import { fraction } from "../format.ts";
import { bar } from "../marks.ts";
import type { Page, PageContext } from "../page.ts";
import { pagedList } from "../paged.ts";
import { dataTable } from "../table.ts";

type User = {
  readonly uid: string;
  readonly total: number;
  readonly spent: number;
  readonly remaining: number;
  readonly releases: number;
  readonly resets: number;
  readonly resetAt: string | null;
  readonly lifetimeSpent: number;
};
type Answer = {
  readonly enabled: boolean;
  readonly mechanism: string;
  readonly epsilonTotal: number;
  readonly epsilonPerRelease?: number;
  readonly rhoPerRelease?: number;
  readonly users: readonly User[];
  readonly nextCursor: string | null;
};

export function privacyPage(context: PageContext): Page {
  const { live } = context;
  const state = el("section", { "aria-label": "The privacy budget" });
  const table = usersTable(context, () => list.again());
  let shown = "";
  const tell = ({ users, nextCursor, ...settings }: Answer) => {
    const next = JSON.stringify(settings);
    if (next !== shown) put(state, ...(settings.enabled ? switchedOn(settings) : switchedOff()));
    shown = next;
  };
  const list = pagedList<User>(live, {
    view: table,
    async read(page) {
      const answer = await read<Answer>("/security/dp-budget", page);
      tell(answer);
      return { rows: answer.users, next: answer.nextCursor };
    },
  });
  return {
    element: el(
      "div",
      { class: "page" },
      state,
      el("section", { "aria-labelledby": "users" }, el("h2", { id: "users" }, "Users"), list.element),
    ),
    close: list.close,
  };
}

function usersTable({ me, clock }: PageContext, again: () => void) {
  return dataTable<User>({
    caption: "Users and their privacy budget",
    keyOf: ({ uid }) => uid,
    empty: "No charge names a user yet. Agents name one with user_id when they open a session.",
    csv: true,
    columns: [
      { title: "User", value: ({ uid }) => uid, cell: ({ uid }) => name(uid) },
      {
        title: "Epsilon spent",
        value: ({ spent }) => spent,
        cell: ({ uid, spent, total }) => {
          const text = `${fraction(spent)} of ${fraction(total)}`;
          return bar(`Epsilon of ${uid}`, { limit: total, spent, held: 0, text, exact: `${spent} of ${total}` });
        },
      },
      {
        title: "Left",
        kind: "number",
        value: ({ remaining }) => remaining,
        cell: ({ remaining }) => fraction(remaining),
      },
      { title: "Numbers told", kind: "number", value: ({ releases }) => releases },
      { title: "Resets", kind: "number", value: ({ resets }) => resets },
      {
        title: "Last reset",
        value: ({ resetAt }) => resetAt,
        cell: ({ resetAt }) => (resetAt === null ? "–" : clock.dateTime(resetAt)),
      },
      {
        title: "Spent over all time",
        kind: "number",
        value: ({ lifetimeSpent }) => lifetimeSpent,
        cell: ({ lifetimeSpent }) => fraction(lifetimeSpent),
      },
      ...(me.role === "owner" ? [{ title: "Actions", value: () => null, buttons: resetButton }] : []),
    ],
  });

  function resetButton(row: () => User): HTMLElement[] {
    const label = `Reset the privacy budget of ${row().uid}`;
    const reset = () => resetPrivacy(row()).then(again);
    return [el("button", { type: "button", "aria-label": label, onclick: reset }, "Reset")];
  }
}

function switchedOn({
  mechanism,
  epsilonTotal,
  epsilonPerRelease,
  rhoPerRelease,
}: Omit<Answer, "users" | "nextCursor">) {
  const each =
    epsilonPerRelease === undefined ? `rho ${fraction(rhoPerRelease ?? 0)}` : `epsilon ${fraction(epsilonPerRelease)}`;
  return [
    el(
      "p",
      {},
      `Viewers are told the numbers of single users with noise only (${mechanism}). Each number costs its user ${each}; once ${fraction(epsilonTotal)} in all is spent, nothing more is told of that user.`,
    ),
  ];
}

function switchedOff() {
  return [
    el("h2", {}, "It is off"),
    el(
      "p",
      {},
      "While it is off, viewers see what each user spent, exactly. Switched on, they are told such numbers with noise only, each is charged to its user, and once a user's budget is spent nothing more is told of them. Operators and owners see exact numbers always.",
    ),
    el("p", {}, "To switch it on, write into astra.yml and save it:"),
    el(
      "pre",
      {},
      el(
        "code",
        {},
        "privacy:\n  enabled: true\n  epsilonTotal: 10       # of one user, over all time\n  epsilonPerRelease: 0.5 # what one number costs",
      ),
    ),
  ];
}
