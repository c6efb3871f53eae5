// Agents: all of them ranked, or the one that the address names.
import type { Page, PageContext } from "../page.ts";
import { agentPage } from "./agent.ts";
import { rankingPage } from "./agents-ranking.ts";

export function agentsPage(context: PageContext): Page {
  const agent = context.params.get("agent");
  return agent ? agentPage(context, agent) : rankingPage(context);
}
