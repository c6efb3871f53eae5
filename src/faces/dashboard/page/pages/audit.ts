// The audit: who changed what and when, before and after, and whether its chain of hashes is whole.
import { type Key, whoIs } from "../actions-keys.ts";
import { Problem, read } from "../api.ts";
import { type Change, changesOf, changeText } from "../changes.ts";
import { type Child, el, name, put } from "../dom.ts";
import { words } from "../evidence.ts";
import { number } from "../format.ts";
import { mark } from "../marks.ts";
import type { PageContext } from "../page.ts";
import { pagedList } from "../paged.ts";
import { dataTable } from "../table.ts";

type Entry = {
  readonly seq: number;
  readonly at: string;
  readonly actor: string;
  readonly role: string;
  readonly action: string;
  readonly target: string;
  readonly before: unknown;
  readonly after: unknown;
  readonly why: string | null;
  readonly hash: string;
};

/** An entry with who made it, by name. */
type Shown = Entry & { readonly who: string };

export function auditPart({ live, clock }: PageContext) {
  const table = dataTable<Shown>({
    caption: "Audit entries",
    keyOf: ({ seq }) => String(seq),
    empty:
      "Nothing was changed yet. Every change of limits, stops, raises, keys, tasks and the policy is written here.",
    csv: true,
    columns: [
      {
        title: "No.",
        kind: "number",
        value: ({ seq }) => seq,
        cell: ({ seq, hash }) => el("span", { title: hash }, number(seq)),
      },
      { title: "When", value: ({ at }) => at, cell: ({ at }) => clock.dateTime(at) },
      {
        title: "Who",
        value: ({ who, role }) => `${who} (${role})`,
        cell: ({ who, actor, role }) => el("span", { title: actor }, name(who), ` (${role})`),
      },
      { title: "What", value: ({ action }) => action, cell: ({ action }) => words(action) },
      { title: "Of", value: ({ target }) => target, cell: ({ target }) => el("div", { class: "wrap" }, name(target)) },
      { title: "Why", value: ({ why }) => why, cell: ({ why }) => el("div", { class: "wrap" }, name(why)) },
      {
        title: "Change",
        value: ({ before, after }) => changesOf(before, after).map(changeText).join("; "),
        cell: ({ before, after }) => changeList(changesOf(before, after)),
      },
    ],
  });
  const list = pagedList<Shown>(live, {
    view: table,
    async read(page) {
      const [{ entries, next_cursor }, { keys }] = await Promise.all([
        read<{ entries: Entry[]; next_cursor: string | null }>("/api/v1/audit", page),
        read<{ keys: Key[] }>("/api/v1/keys", { limit: 500 }),
      ]);
      const who = whoIs(keys);
      return { rows: entries.map((entry) => ({ ...entry, who: who(entry.actor) })), next: next_cursor };
    },
  });
  return {
    element: el(
      "section",
      { "aria-labelledby": "audit" },
      el("h2", { id: "audit" }, "Audit"),
      verifier(),
      list.element,
    ),
    close: list.close,
  };
}

function changeList(changes: readonly Change[]): Child {
  if (changes.length === 0) return "–";
  return el("ul", { class: "changes" }, ...changes.map(changeLine));
}

function changeLine({ name: field, before, after }: Change): HTMLElement {
  return el(
    "li",
    {},
    ...(field === "" ? [] : [el("span", { class: "label" }, name(field)), " "]),
    before === null ? null : el("del", {}, name(before)),
    before !== null && after !== null ? " → " : null,
    after === null ? null : el("ins", {}, name(after)),
  );
}

/** Recomputes the chain on the server; on a long audit that takes a while. */
function verifier(): HTMLElement {
  const told = el("div", { role: "status" });
  const verify = async () => {
    button.disabled = true;
    put(told, el("p", { class: "hint" }, "Verifying …"));
    try {
      put(told, verdict(await read<Verified>("/api/v1/audit/verify")));
    } catch (error) {
      put(
        told,
        el("p", { class: "fault" }, error instanceof Problem ? error.message : "The server cannot be reached."),
      );
    }
    button.disabled = false;
  };
  const button = el("button", { type: "button", onclick: verify }, "Verify the chain");
  return el("div", {}, button, told);
}

type Verified = {
  readonly ok: boolean;
  readonly entries: number;
  readonly hash: string;
  readonly fault: string | null;
};

function verdict({ ok, entries, hash, fault }: Verified): HTMLElement {
  if (!ok)
    return el(
      "p",
      { class: "fault" },
      mark("failed"),
      ` The audit was tampered with: ${fault ?? "its chain is broken"}. Compare it with a backup.`,
    );
  return el(
    "p",
    {},
    mark("ok"),
    ` All ${number(entries)} entries are as they were written. The chain ends in `,
    el("code", {}, hash),
    ". Keep that elsewhere: an audit rewritten as a whole cannot end in it.",
  );
}
