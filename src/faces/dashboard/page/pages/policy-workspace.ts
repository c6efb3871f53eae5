// What holds for everybody: the workspace's own limits, its hard caps and its switches.
import { budgetLines } from "../budget-lines.ts";
import { type Child, el, name, put } from "../dom.ts";
import { amount, share } from "../format.ts";

export type WorkspacePolicy = {
  readonly workspace_id: string;
  readonly timezone: string;
  readonly daily_cost_limit_usd: number | null;
  readonly monthly_cost_limit_usd: number | null;
  readonly hard_caps: Readonly<Record<string, number>>;
  readonly unknown_model: string;
  readonly unknown_agents: string;
  readonly warn_at: number;
  readonly on_hold_expiry: string;
  readonly on_meter_failure: string;
};

export function workspacePart() {
  const limits = el("dl", { class: "facts-list" });
  const caps = el("dl", { class: "facts-list" });
  return {
    element: el(
      "div",
      { class: "columns" },
      el("section", { "aria-labelledby": "workspace" }, el("h2", { id: "workspace" }, "Workspace"), limits),
      el(
        "section",
        { "aria-labelledby": "caps" },
        el("h2", { id: "caps" }, "Hard caps"),
        el(
          "p",
          { class: "hint" },
          "The ceiling over every session's budget, and over a whole swarm. No raise passes it.",
        ),
        caps,
      ),
    ),
    show(policy: WorkspacePolicy) {
      put(
        limits,
        fact("Name", name(policy.workspace_id)),
        fact("Days and months begin in", policy.timezone),
        fact("A day, all together", amount("cost_usd", policy.daily_cost_limit_usd)),
        fact("A month, all together", amount("cost_usd", policy.monthly_cost_limit_usd)),
        fact("Warns from", `${share(policy.warn_at)} of a limit`),
        fact("Agents that are not listed", policy.unknown_agents),
        fact("Models without a price", policy.unknown_model.replaceAll("_", " ")),
        fact("Holds nobody settled", policy.on_hold_expiry),
        fact("Usage that cannot be metered", policy.on_meter_failure),
      );
      put(
        caps,
        ...budgetLines({ budget: policy.hard_caps, sources: {}, clamped: [] }).map(({ title, shown }) =>
          fact(title, shown),
        ),
      );
    },
  };
}

const fact = (title: string, value: Child): HTMLElement => el("div", {}, el("dt", {}, title), el("dd", {}, value));
