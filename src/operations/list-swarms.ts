// list_swarms: root sessions that opened others, the newest first, and what each swarm came to.
import { z } from "zod";
import { findSession } from "../ledger/sessions.ts";
import { newestSwarms } from "../ledger/swarms.ts";
import { defineOperation } from "./operation.ts";
import { idIn, nextCursor, pageFrom, pageInput, wrongCursor } from "./page.ts";
import { treeCostsOf } from "./session-tree.ts";
import { swarmOut } from "./swarm-out.ts";

export const listSwarms = defineOperation({
  name: "list_swarms",
  title: "List swarms",
  description:
    "Sessions that opened others, the newest first, each with how many sessions its swarm has, how many of them are open, how deep it goes and what it cost.",
  input: z.strictObject(pageInput(20)),
  output: z.looseObject({ swarms: z.array(z.looseObject({})), next_cursor: nextCursor }),
  access: "viewer",
  effect: "read",
  run: (context, _principal, { limit, cursor }) =>
    context.ledger.read(function* () {
      const { id } = context.policy.workspace;
      const now = context.now();
      const before = cursor === undefined ? null : idIn(cursor);
      if (before !== null && !(yield* findSession(id, before))) throw wrongCursor();
      const found = yield* newestSwarms(id, now, limit + 1, before);
      const { items, next_cursor } = pageFrom(found, limit, ({ root }) => root.id);
      const treeCostOf = yield* treeCostsOf(
        id,
        items.map(({ root }) => root),
      );
      return { swarms: items.map((swarm) => swarmOut(swarm, treeCostOf(swarm.root), now)), next_cursor };
    }),
});
