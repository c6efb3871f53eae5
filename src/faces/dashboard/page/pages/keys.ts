// Keys and audit, for owners: who may come in, and who changed what.
import { createKey, type Key, revokeKey, whoIs } from "../actions-keys.ts";
import { read } from "../api.ts";
import { el, name } from "../dom.ts";
import { agentLink, mark } from "../marks.ts";
import type { Page, PageContext } from "../page.ts";
import { pagedList } from "../paged.ts";
import { dataTable } from "../table.ts";
import { auditPart } from "./audit.ts";

export function keysPage(context: PageContext): Page {
  const keys = keysPart(context);
  const audit = auditPart(context);
  return {
    element: el("div", { class: "page" }, keys.element, audit.element),
    close() {
      keys.close();
      audit.close();
    },
  };
}

/** A key with who made it, by name. */
type Shown = Key & { readonly by: string };

function keysPart({ me, live, clock }: PageContext) {
  const instant = (value: string | null, none: string) => (value === null ? none : clock.dateTime(value));
  const table = dataTable<Shown>({
    caption: "API keys",
    // A line is made anew when its state changes: what cannot be revoked any more has no button.
    keyOf: (key) => `${key.key_id} ${stateOf(key)}`,
    empty: "There is no key.",
    csv: true,
    columns: [
      { title: "Name", value: (key) => key.name, cell: (key) => name(key.name) },
      { title: "Role", value: ({ role }) => role },
      {
        title: "Agent",
        value: ({ agent_id }) => agent_id,
        cell: ({ agent_id }) => (agent_id === null ? "–" : agentLink(agent_id)),
      },
      { title: "State", value: stateOf, cell: (key) => mark(stateOf(key)) },
      { title: "Begins with", value: (key) => key.secret_start, cell: (key) => el("code", {}, name(key.secret_start)) },
      { title: "Made", value: (key) => key.created_at, cell: (key) => clock.dateTime(key.created_at) },
      { title: "By", value: (key) => key.by, cell: (key) => name(key.by) },
      { title: "Last used", value: (key) => key.last_used_at, cell: (key) => instant(key.last_used_at, "never") },
      { title: "Ends", value: (key) => key.expires_at, cell: (key) => instant(key.expires_at, "never") },
      { title: "Actions", value: () => null, buttons: revokeButton },
    ],
  });
  const list = pagedList<Shown>(live, {
    view: table,
    async read(page) {
      const { keys, next_cursor } = await read<{ keys: Key[]; next_cursor: string | null }>("/api/v1/keys", page);
      const who = whoIs(keys);
      return { rows: keys.map((key) => ({ ...key, by: who(key.created_by) })), next: next_cursor };
    },
  });
  const create = () => createKey().then(() => list.again());

  function revokeButton(row: () => Key): HTMLElement[] {
    if (stateOf(row()) !== "in force") return [];
    const label = `Revoke the key ${row().name}`;
    const revoke = () => revokeKey(row(), me).then(() => list.again());
    return [el("button", { type: "button", "aria-label": label, onclick: revoke }, "Revoke")];
  }
  return {
    element: el(
      "section",
      { "aria-labelledby": "keys" },
      el("h2", { id: "keys" }, "Keys"),
      el("p", {}, el("button", { type: "button", class: "primary", onclick: create }, "Create a key")),
      list.element,
    ),
    close: list.close,
  };
}

function stateOf({ revoked_at, expires_at }: Key): "in force" | "revoked" | "ended" {
  if (revoked_at !== null) return "revoked";
  return expires_at !== null && Date.parse(expires_at) <= Date.now() ? "ended" : "in force";
}
