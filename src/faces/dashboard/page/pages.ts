// The pages there are, in the order of the navigation.
import type { Page, PageContext } from "./page.ts";
import { agentsPage } from "./pages/agents.ts";
import { costsPage } from "./pages/costs.ts";
import { incidentsPage } from "./pages/incidents.ts";
import { keysPage } from "./pages/keys.ts";
import { nowPage } from "./pages/now.ts";
import { policyPage } from "./pages/policy.ts";
import { privacyPage } from "./pages/privacy.ts";
import { swarmsPage } from "./pages/swarms.ts";

export type PageEntry = {
  readonly path: string;
  readonly title: string;
  make(context: PageContext): Page;
  readonly ownersOnly?: true;
};

export const pages: readonly PageEntry[] = [
  { path: "now", title: "Now", make: nowPage },
  { path: "costs", title: "Costs", make: costsPage },
  { path: "agents", title: "Agents", make: agentsPage },
  { path: "swarms", title: "Swarms", make: swarmsPage },
  { path: "incidents", title: "Incidents", make: incidentsPage },
  { path: "policy", title: "Policy", make: policyPage },
  { path: "privacy", title: "Privacy", make: privacyPage },
  { path: "keys", title: "Keys and audit", make: keysPage, ownersOnly: true },
];
