// list_sessions: the newest sessions with their handles, for the operator.
import { z } from "zod";
import { callerId } from "../core/id.ts";
import { listSessions as newest } from "../ledger/session-lists.ts";
import type { Session } from "../ledger/session-row.ts";
import type { Work } from "../ledger/statement.ts";
import { type Context, callingAgent, defineOperation, forbidden } from "./operation.ts";
import { instantOut, statusOut } from "./output.ts";
import { nextCursor, pageFrom, pageInput, placeOf } from "./page.ts";
import { hidesUsers } from "./reveal.ts";
import { sessionLine, tokensOf } from "./session-line.ts";

export const listSessions = defineOperation({
  name: "list_sessions",
  title: "List sessions",
  description: "The newest sessions of the workspace or of one agent, with ids, state, tokens and own cost.",
  input: z.strictObject({
    agent_id: callerId.optional().describe("One agent's only."),
    open: z.boolean({ error: "expected true or false" }).default(false).describe("Open ones only."),
    ...pageInput(20),
  }),
  output: z.looseObject({ sessions: z.array(z.looseObject({})), next_cursor: nextCursor }),
  access: "anyone",
  effect: "read",
  run: (context, principal, args) => {
    // Session ids are handles: whoever is pinned sees its own, whoever is not pinned must say whose and gets none.
    if (principal.kind === "agent" && principal.agentId === null) throw forbidden("list_sessions", "pinned agents");
    return context.ledger.read(function* () {
      const answer = yield* page(context, callingAgent(principal, args.agent_id), args);
      if (!hidesUsers(context, principal)) return answer;
      // One session's exact cost is no secret, whose it was is.
      return { ...answer, sessions: answer.sessions.map(({ user_id: _, ...line }) => line) };
    });
  },
});

function* page(
  context: Context,
  agentId: string | null,
  args: { open: boolean; limit: number; cursor?: string | undefined },
): Work<{ sessions: Record<string, unknown>[]; next_cursor: string | null }> {
  const filter = { workspaceId: context.policy.workspace.id, agentId, which: args.open ? "open" : "all" } as const;
  const found = yield* newest(filter, args.limit + 1, args.cursor === undefined ? undefined : placeOf(args.cursor));
  const { items, next_cursor } = pageFrom(found, args.limit, (last) => `${last.openedAt}.${last.id}`);
  return { sessions: items.map((session) => lineOf(session, context.now())), next_cursor };
}

function lineOf(session: Session, now: number): Record<string, unknown> {
  const { totals } = session;
  return {
    ...sessionLine(session),
    team_id: session.teamId,
    user_id: session.userId,
    status: statusOut(session, now),
    error: session.error,
    ended_at: session.endedAt === null ? null : instantOut(session.endedAt),
    duration_ms: (session.endedAt ?? now) - session.openedAt,
    input_tokens: Number(totals.inputTokens),
    output_tokens: Number(totals.outputTokens),
    tokens: tokensOf(session),
    tool_calls: Number(totals.toolCalls),
  };
}
