// The pages there are, in the order of the navigation.
import type { Page, PageContext } from "./page.ts";
import { agentsPage } from "./pages/agents.ts";
import { costsPage } from "./pages/costs.ts";
import { nowPage } from "./pages/now.ts";

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
];
