// Sessions that an import names: those that are here must be the same, those that are not are made, and have ended.

import { isSessionIdTaken } from "../ledger/charge-import.ts";
import type { Session } from "../ledger/session-row.ts";
import { findSession } from "../ledger/sessions.ts";
import type { Work } from "../ledger/statement.ts";
import type { ReadRecord } from "./charge-record.ts";
import { type Context, invalidInput } from "./operation.ts";
import { insertPastSession } from "./past-session.ts";

/** Ids from the root to the record's own session. */
export const chainOf = (record: ReadRecord): string[] => [
  ...record.ancestors.map((ancestor) => ancestor.session_id),
  record.session_id,
];

/** A session as a record names it, and the column that a fault of it is in. */
type Named = ReadRecord["ancestors"][number];

const ownOf = (record: ReadRecord): Named => ({
  session_id: record.session_id,
  agent_id: record.agent_id,
  role: record.role,
  team_id: record.team_id,
  task_id: record.task_id,
  user_id: record.user_id,
  status: record.session_status,
  opened_at: record.session_opened_at,
  ended_at: record.session_ended_at,
});

/** Parent and root are in the ancestors too, as whoever reads a file by eye wants them in columns of their own. */
export function checkTree(record: ReadRecord, path: string): void {
  const chain = chainOf(record);
  const parent = record.ancestors.at(-1)?.session_id ?? null;
  if (record.parent_session_id !== parent)
    throw invalidInput(
      `${path}.parent_session_id`,
      "expected the last of the ancestors, or nothing where there is none",
    );
  if (record.root_session_id !== chain[0])
    throw invalidInput(`${path}.root_session_id`, "expected the first of the ancestors, or the session itself");
  if (new Set(chain).size < chain.length)
    throw invalidInput(`${path}.ancestors`, "expected each session once, and not the session itself");
}

/** The sessions of one import: each is looked at once, however many charges name it. */
export class ImportedSessions {
  readonly #context: Context;
  readonly #known = new Map<string, Session>();
  made = 0;

  constructor(context: Context) {
    this.#context = context;
  }

  /** The session a record's charge belongs to, under the locks of its balances. */
  *sessionOf(record: ReadRecord, path: string): Work<Session> {
    let parent: Session | null = null;
    for (const ancestor of record.ancestors) parent = yield* this.#find(ancestor, parent, record, `${path}.ancestors`);
    return yield* this.#find(ownOf(record), parent, record, path);
  }

  *#find(named: Named, parent: Session | null, record: ReadRecord, path: string): Work<Session> {
    const id = named.session_id;
    const workspaceId = this.#context.policy.workspace.id;
    const found = this.#known.get(id) ?? (yield* findSession(workspaceId, id));
    if (found) refuseAnother(found, named, parent, path);
    const session = found ?? (yield* this.#make(named, parent, record, path));
    this.#known.set(id, session);
    return session;
  }

  *#make(named: Named, parent: Session | null, record: ReadRecord, path: string): Work<Session> {
    if (yield* isSessionIdTaken(named.session_id))
      throw invalidInput(columnOf(path, "session_id"), "expected a session that is not another workspace's");
    this.made += 1;
    return yield* insertPastSession(this.#context, {
      id: named.session_id,
      agentId: named.agent_id,
      role: named.role,
      teamId: named.team_id,
      taskId: named.task_id,
      userId: named.user_id,
      parent,
      openedAt: named.opened_at,
      endedAt: named.ended_at ?? record.occurred_at,
      // It has ended here, whatever it does elsewhere.
      status: named.status === "open" ? "success" : named.status,
    });
  }
}

/** `path` is the record, or the list of its ancestors, in which no column can be named. */
const columnOf = (path: string, column: string): string => (path.endsWith(".ancestors") ? path : `${path}.${column}`);

function refuseAnother(found: Session, named: Named, parent: Session | null, path: string): void {
  const facts = [
    ["agent_id", found.agentId, named.agent_id],
    ["team_id", found.teamId, named.team_id],
    ["role", found.role, named.role],
    ["task_id", found.taskId, named.task_id],
    ["user_id", found.userId, named.user_id],
    ["parent_session_id", found.parentSessionId, parent?.id ?? null],
  ] as const;
  for (const [column, here, there] of facts) {
    if (here === there) continue;
    const expected = here === null ? "nothing" : here;
    const message = `expected ${expected} (${column}): session ${found.id} is in this ledger already`;
    throw invalidInput(columnOf(path, column), message);
  }
}
