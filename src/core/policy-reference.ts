// Cross references of astra.yml, checked on the raw data so that no fault elsewhere hides one: ids, roles, teams, tasks.
import { BUILT_IN_ROLES } from "./budget.ts";
import { nearest } from "./nearest.ts";
import { quoted } from "./plain-text.ts";

/** One fault at a place of the file; `at` says whether the value or its key is the culprit. */
export type PlacedFault = {
  readonly path: readonly (string | number)[];
  readonly at: "value" | "key";
  readonly message: string;
};

type Listed = {
  readonly index: number;
  readonly id: string | null;
  readonly fields: Readonly<Record<string, unknown>>;
};

/** Duplicate ids, unknown roles, teams and tasks, and cycles of `depends_on`; anything of a wrong shape is skipped. */
export function referenceFaults(raw: unknown): PlacedFault[] {
  const roles = listed(raw, "roles");
  const agents = listed(raw, "agents");
  const teams = listed(raw, "teams");
  const tasks = listed(raw, "tasks");
  const roleNames = [...Object.keys(BUILT_IN_ROLES), ...idsOf(roles)];
  return [
    ...duplicates("roles", roles, (id) => id.toLowerCase()),
    ...duplicates("agents", agents, (id) => id),
    ...duplicates("teams", teams, (id) => id),
    ...duplicates("tasks", tasks, (id) => id),
    ...duplicates("webhooks", listed(raw, "webhooks"), (id) => id),
    ...unknown(
      "agents",
      agents,
      "role",
      known("a role (built in or listed under roles)", roleNames, (id) => id.toLowerCase()),
    ),
    ...unknown("agents", agents, "team", known("a team listed under teams", idsOf(teams))),
    ...unknown("tasks", tasks, "team", known("a team listed under teams", idsOf(teams))),
    ...unknownTasks(tasks),
    ...cycles(tasks),
  ];
}

/** The entries of a list of the file that are mappings, with their place and their id as text. */
function listed(raw: unknown, key: string): Listed[] {
  const list = isRecord(raw) && Object.hasOwn(raw, key) ? raw[key] : undefined;
  if (!Array.isArray(list)) return [];
  return list.flatMap((fields: unknown, index) => (isRecord(fields) ? [{ index, id: idText(fields.id), fields }] : []));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An id as `callerId` takes it: a text, or an integer as its digits. */
function idText(value: unknown): string | null {
  return typeof value === "string" ? value : Number.isInteger(value) ? String(value) : null;
}

function idsOf(entries: readonly Listed[]): string[] {
  return entries.flatMap(({ id }) => (id === null ? [] : [id]));
}

function duplicates(list: string, entries: readonly Listed[], same: (id: string) => string): PlacedFault[] {
  const first = new Map<string, number>();
  return entries.flatMap(({ id, index }) => {
    if (id === null) return [];
    const before = first.get(same(id));
    if (before === undefined) first.set(same(id), index);
    if (before === undefined) return [];
    return [fault([list, index, "id"], `${quoted(id)} is already the id of ${list}[${before}], expected each id once`)];
  });
}

type Known = { readonly has: (id: string) => boolean; readonly expected: (id: string) => string };

/** The ids a reference may name, and the sentence for one that is not among them. */
function known(what: string, ids: readonly string[], same: (id: string) => string = (id) => id): Known {
  const names = new Set(ids.map(same));
  const list = ids.length === 0 ? " (none is listed)" : ids.length <= 8 ? `: ${ids.map(plain).join(", ")}` : "";
  return {
    has: (id) => names.has(same(id)),
    expected: (id) => {
      const near = nearest(id, ids);
      return `expected ${what}${list}${near === null ? "" : `; did you mean ${plain(near)}?`}`;
    },
  };
}

/** An id without its quotes; whatever could forge text stays escaped. */
function plain(id: string): string {
  return quoted(id).slice(1, -1);
}

function unknown(list: string, entries: readonly Listed[], key: string, ids: Known): PlacedFault[] {
  return entries.flatMap(({ index, fields }) => {
    const id = Object.hasOwn(fields, key) ? idText(fields[key]) : null;
    if (id === null || ids.has(id)) return [];
    return [fault([list, index, key], `found ${quoted(id)}, ${ids.expected(id)}`)];
  });
}

function unknownTasks(tasks: readonly Listed[]): PlacedFault[] {
  const ids = known("a task listed under tasks", idsOf(tasks));
  return tasks.flatMap((task) =>
    waitsFor(task).flatMap(({ id, path }) =>
      ids.has(id) ? [] : [fault(path, `found ${quoted(id)}, ${ids.expected(id)}`)],
    ),
  );
}

function waitsFor(task: Listed): { id: string; path: (string | number)[] }[] {
  const list = task.fields.depends_on;
  if (!Array.isArray(list)) return [];
  return list.flatMap((value: unknown, place) => {
    const id = idText(value);
    return id === null ? [] : [{ id, path: ["tasks", task.index, "depends_on", place] }];
  });
}

/** Each dependency that closes a cycle, with the cycle by name. Walks with a stack of its own: chains may be long. */
function cycles(tasks: readonly Listed[]): PlacedFault[] {
  const byId = new Map<string, Listed>();
  for (const task of tasks) if (task.id !== null && !byId.has(task.id)) byId.set(task.id, task);
  const faults: PlacedFault[] = [];
  const finished = new Set<string>();
  for (const start of byId.keys()) {
    const trail: { id: string; left: { id: string; path: (string | number)[] }[] }[] = [];
    const onTrail = new Map<string, number>();
    const enter = (id: string) => {
      const task = byId.get(id);
      if (!task || finished.has(id)) return;
      onTrail.set(id, trail.length);
      trail.push({ id, left: waitsFor(task).reverse() });
    };
    enter(start);
    for (let top = trail.at(-1); top; top = trail.at(-1)) {
      const next = top.left.pop();
      if (!next) {
        finished.add(top.id);
        onTrail.delete(top.id);
        trail.pop();
        continue;
      }
      const from = onTrail.get(next.id);
      if (from === undefined) enter(next.id);
      else faults.push(fault(next.path, cycleText([...trail.slice(from).map(({ id }) => id), next.id])));
    }
  }
  return faults;
}

function cycleText(ids: readonly string[]): string {
  const shown = ids.length <= 12 ? ids : [...ids.slice(0, 10), "…", ...ids.slice(-1)];
  return `the tasks wait for each other: ${shown.map(plain).join(" -> ")}, expected no cycle`;
}

function fault(path: readonly (string | number)[], message: string): PlacedFault {
  return { path, at: "value", message };
}
