// What an owner does with keys: makes one, whose secret is shown once, and revokes one.
import { AUDITED } from "./actions.ts";
import { type Me, write } from "./api.ts";
import { confirmed } from "./dialog.ts";
import { el, name } from "./dom.ts";
import { shownOnce } from "./secret.ts";

export type Key = {
  readonly key_id: string;
  readonly name: string;
  readonly role: string;
  readonly agent_id: string | null;
  readonly secret_start: string;
  readonly created_at: string;
  readonly created_by: string;
  readonly expires_at: string | null;
  readonly last_used_at: string | null;
  readonly revoked_at: string | null;
};

/** Who a key's id is, by its name; what is no key's id stays as it is. */
export function whoIs(keys: readonly Key[]): (actor: string) => string {
  const names = new Map(keys.map((key) => [key.key_id, `key ${key.name}`]));
  return (actor) => names.get(actor) ?? actor;
}

/** The least first: more is given on purpose. */
const ROLES = ["viewer", "operator", "owner", "agent"];
const DAY_MS = 86_400_000;

export async function createKey(): Promise<boolean> {
  let made: (Key & { readonly secret: string | null }) | null = null;
  const isDone = await confirmed({
    title: "Create a key",
    says: ["Whoever has it acts in this workspace in its role, until it ends or is revoked. It is shown once."],
    fields: [
      { name: "name", label: "Name", kind: "text", hint: "Whose key is it?" },
      {
        name: "role",
        label: "Role",
        kind: "choice",
        options: ROLES,
        hint: "viewer: reads all. operator: limits, tasks and stops too. owner: keys too. agent: one agent's own sessions.",
      },
      {
        name: "agent",
        label: "Agent",
        kind: "text",
        hint: "For the role agent only: the one agent it speaks for.",
        optional: true,
      },
      { name: "days", label: "Ends after (days)", kind: "number", hint: "Empty: never.", optional: true },
    ],
    reasonHint: AUDITED,
    confirm: "Create key",
    async run({ reason, key, at, fields }) {
      made = await write("POST", "/api/v1/keys", {
        name: fields.name,
        role: fields.role,
        ...(fields.agent === "" ? {} : { agent_id: fields.agent }),
        ...(fields.days === "" ? {} : { expires_at: new Date(at + Number(fields.days) * DAY_MS).toISOString() }),
        reason,
        idempotency_key: key,
      });
    },
  });
  if (made !== null) await shownOnce(made);
  return isDone;
}

export function revokeKey(key: Key, me: Me): Promise<boolean> {
  return confirmed({
    title: "Revoke this key",
    says: [
      el(
        "p",
        {},
        "The key ",
        name(key.name),
        ` (${key.role}, ${key.secret_start}…) and all signed in with it are refused from now on. It cannot be undone.`,
      ),
      ...(me.actor === key.key_id ? ["It is the key you are signed in with: you will be signed out."] : []),
    ],
    reasonHint: AUDITED,
    confirm: "Revoke",
    isDangerous: true,
    run: ({ reason }) => write("DELETE", `/api/v1/keys/${key.key_id}?${new URLSearchParams({ reason })}`),
  });
}
