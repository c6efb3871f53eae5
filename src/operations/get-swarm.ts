// get_swarm: the swarm that a session is in, from its root down.
import { z } from "zod";
import { findSession } from "../ledger/sessions.ts";
import { countBelow, membersOf } from "../ledger/swarms.ts";
import { ourId } from "./input.ts";
import { defineOperation, sessionNotFound } from "./operation.ts";
import { byPlace, treeCostsOf } from "./session-tree.ts";
import { memberOut, swarmOut } from "./swarm-out.ts";

/** More are counted, and left out: nobody reads them, and a swarm may have ten thousand. */
const MOST_SESSIONS = 500;

export const getSwarm = defineOperation({
  name: "get_swarm",
  title: "Get a swarm",
  description: `The swarm that a session is in: its root, and each session with its parent, depth, state and costs, parents before children, ${MOST_SESSIONS} at most.`,
  input: z.strictObject({ session_id: ourId("session").describe("Any session of the swarm.") }),
  output: z.looseObject({ session_id: z.string(), tree: z.array(z.looseObject({})), left_out: z.number() }),
  access: "viewer",
  effect: "read",
  run: (context, _principal, args) =>
    context.ledger.read(function* () {
      const { id } = context.policy.workspace;
      const now = context.now();
      const session = yield* findSession(id, args.session_id);
      const root = session && (yield* findSession(id, session.chain[0] ?? session.id));
      if (!root) throw sessionNotFound();
      const swarm = { root, below: yield* countBelow(root, now) };
      const shown = (yield* membersOf(root, MOST_SESSIONS)).sort(byPlace);
      const treeCostOf = yield* treeCostsOf(id, shown);
      return {
        ...swarmOut(swarm, treeCostOf(root), now),
        tree: shown.map((session) => memberOut(session, treeCostOf(session), now)),
        left_out: 1 + swarm.below.sessions - shown.length,
      };
    }),
});
