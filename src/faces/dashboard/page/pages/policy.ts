// The policy in force: is its file fine, what is stopped or raised now, and what each team and agent may spend.
import { read } from "../api.ts";
import { el } from "../dom.ts";
import { kept, type Page, type PageContext } from "../page.ts";
import { agentsPart, type PolicyAgent } from "./policy-agents.ts";
import { filePart, type PolicyFile } from "./policy-file.ts";
import { grantsPart, stopsPart } from "./policy-orders.ts";
import { type PolicyTeam, teamsPart } from "./policy-teams.ts";
import { type WorkspacePolicy, workspacePart } from "./policy-workspace.ts";

export type Policy = WorkspacePolicy & {
  readonly agents: readonly PolicyAgent[];
  readonly teams: readonly PolicyTeam[];
  /** Not told to viewers; null where there is no file. */
  readonly file?: PolicyFile | null;
};

/** No event tells of a file that was broken, or of a raise whose time is over: neither is written into the ledger. */
const LOOK_MS = 10_000;

export function policyPage(context: PageContext): Page {
  const again = () => fresh.again();
  const file = filePart(context);
  const workspace = workspacePart();
  const teams = teamsPart(context, again);
  const agents = agentsPart();
  const stops = stopsPart(context);
  const grants = grantsPart(context);
  const fresh = kept(
    context.live,
    () => read<Policy>("/api/v1/policy"),
    (policy) => {
      file.show(policy.file);
      workspace.show(policy);
      teams.show(policy.teams);
      agents.show(policy.agents);
      body.hidden = false;
    },
  );
  const timer = setInterval(() => {
    if (!document.hidden) for (const part of [fresh, stops, grants]) part.again();
  }, LOOK_MS);
  const body = el(
    "div",
    { class: "page", hidden: true },
    file.element,
    stops.element,
    grants.element,
    workspace.element,
    teams.element,
    agents.element,
  );
  return {
    element: el("div", {}, fresh.status, body),
    close() {
      clearInterval(timer);
      for (const part of [fresh, stops, grants]) part.close();
    },
  };
}
