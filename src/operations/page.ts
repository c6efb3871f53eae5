// Lists by the page: how many, and from where the last page ended.
import { z } from "zod";
import type { Work } from "../ledger/statement.ts";
import { invalidInput } from "./operation.ts";

const number = z
  .number({ error: "expected a number, 1 to 500" })
  .int({ error: "expected a whole number" })
  .min(1, { error: "expected at least 1" })
  .max(500, { error: "expected at most 500" });

const cursor = z
  .string({ error: "expected next_cursor of the page before" })
  .max(600, { error: "expected next_cursor of the page before" });

/** Arguments of every list. */
export const pageInput = (usual: number) => ({
  limit: number.default(usual).describe("How many at most."),
  cursor: cursor.optional().describe("next_cursor of the page before; absent = from the start."),
});

export type Page = { readonly limit: number; readonly cursor?: string | undefined };

export const nextCursor = z.string().nullable();

/** One page of what was found from its start on. Ask for one more than `limit`: it shows that there is a next page. */
export function pageFrom<Item>(
  found: readonly Item[],
  limit: number,
  cursorOf: (last: Item) => string,
): { items: Item[]; next_cursor: string | null } {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return { items, next_cursor: last !== undefined && found.length > limit ? cursorOf(last) : null };
}

/** One page of a list that is small enough to be read whole. The order must be the same every time. */
export function pageOf<Item>(
  items: readonly Item[],
  idOf: (item: Item) => string,
  { limit, cursor: after }: Page,
): { items: Item[]; next_cursor: string | null } {
  const start = after === undefined ? 0 : items.findIndex((item) => idOf(item) === after) + 1;
  if (after !== undefined && start === 0) throw wrongCursor();
  return pageFrom(items.slice(start), limit, idOf);
}

/**
 * The same for a list in falling order of ids that items leave while it is read: a page goes on where the last item
 * stood, even if that is no longer in it. `find` looks an id up among all there ever were.
 */
export function* livePageOf<Item>(
  items: readonly Item[],
  idOf: (item: Item) => string,
  page: Page,
  find: (id: string) => Work<unknown>,
): Work<{ items: Item[]; next_cursor: string | null }> {
  const { cursor: after, limit } = page;
  const isListed = after === undefined || items.some((item) => idOf(item) === after);
  if (isListed || (yield* find(after)) === undefined) return pageOf(items, idOf, page);
  const rest = items.filter((item) => idOf(item) < after);
  return pageOf(rest, idOf, { limit });
}

/** A cursor of a list in falling order of ids: the last one shown. */
export function idIn(cursor: string): string {
  if (!/^[a-z0-9_]{1,64}$/.test(cursor)) throw wrongCursor();
  return cursor;
}

/** A cursor of a list in falling order of instants and ids: "instant.id". */
export function placeOf(cursor: string): { at: number; id: string } {
  const [, at, id] = /^(\d{1,15})\.([a-z0-9_]{1,64})$/.exec(cursor) ?? [];
  if (at === undefined || id === undefined) throw wrongCursor();
  return { at: Number(at), id };
}

export const wrongCursor = () => invalidInput("cursor", "expected next_cursor of the page before");
