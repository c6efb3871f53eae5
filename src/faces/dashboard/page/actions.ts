// What an operator may do from the page, each with its confirmation: stop, resume, end, grant, a team's daily limit.
import { write } from "./api.ts";
import { confirmed } from "./dialog.ts";
import { el, name } from "./dom.ts";
import { amount, money } from "./format.ts";
import type { Grant, Stop } from "./now-state.ts";

export const AUDITED = "It is written into the audit.";
const TOLD = "Agents are told it, and it is written into the audit.";

/** What a stop may be put on; the workspace has no id here. */
export type StopTarget =
  | { readonly kind: "session" | "agent" | "task" | "team"; readonly id: string }
  | { readonly kind: "workspace" };

export const sentence = (before: string, id: string, after: string): HTMLElement =>
  el("p", {}, before, name(id), after);

export function stopSpending(target: StopTarget): Promise<boolean> {
  const isAll = target.kind === "workspace";
  return confirmed({
    title: isAll ? "Stop all spending" : `Stop this ${target.kind}`,
    says: [
      isAll
        ? "Every open, check and report of every agent is denied from now on, until you resume."
        : sentence(
            `Every open, check and report on the ${target.kind} `,
            target.id,
            ", and everything below it, is denied from now on, until you resume.",
          ),
      "What was already spent stays recorded; what is under way is still booked when it is reported.",
    ],
    reasonHint: TOLD,
    confirm: "Stop",
    isDangerous: true,
    run: ({ reason, key }) =>
      write("POST", "/api/v1/stops", {
        ...(isAll ? { all: true } : { [`${target.kind}_id`]: target.id }),
        reason,
        idempotency_key: key,
      }),
  });
}

export function resumeSpending(stop: Stop): Promise<boolean> {
  return confirmed({
    title: "Resume spending",
    says: [
      stop.scope === "workspace"
        ? "The stop of the whole workspace is lifted: agents may spend again within their limits."
        : sentence(`The stop of ${stop.scope} `, stop.scope_id, " is lifted: it may spend again within its limits."),
      el("p", {}, "It was stopped because: ", name(stop.reason)),
    ],
    reasonHint: AUDITED,
    confirm: "Resume",
    run: ({ reason }) => write("DELETE", `/api/v1/stops/${stop.stop_id}?${new URLSearchParams({ reason })}`),
  });
}

export function endSession(session: { readonly session_id: string; readonly agent_id: string }): Promise<boolean> {
  return confirmed({
    title: "End this session",
    says: [
      sentence(
        "The session of ",
        session.agent_id,
        " and every session below it end as cancelled; money held for them is released.",
      ),
      "An ended session cannot be opened again. To halt it for a while, stop it instead.",
    ],
    reasonHint: AUDITED,
    confirm: "End session",
    isDangerous: true,
    run: ({ reason }) =>
      write("POST", `/api/v1/sessions/${session.session_id}/end`, { status: "cancelled", error: reason }),
  });
}

/** A limit that may be raised. */
export type Grantable = Pick<Grant, "scope" | "scope_id" | "window" | "measure"> & { readonly limit: number };

export function grantMore(limit: Grantable): Promise<boolean> {
  const unit = limit.measure === "cost_usd" ? "dollars" : limit.measure.replaceAll("_", " ");
  return confirmed({
    title: "Raise this limit for a while",
    says: [
      sentence(
        `The ${limit.window} limit of ${limit.scope} `,
        limit.scope_id,
        `, now ${amount(limit.measure, limit.limit)}, is raised by what you enter. It holds at once, for open sessions too, and ends by itself. Hard caps stay.`,
      ),
    ],
    fields: [
      { name: "amount", label: `By how much (${unit})`, kind: "number" },
      { name: "hours", label: "For how many hours", kind: "number", value: "4", hint: "At most 744 (31 days)." },
    ],
    reasonHint: AUDITED,
    confirm: "Raise limit",
    run: ({ reason, key, at, fields }) =>
      write("POST", "/api/v1/grants", {
        scope: limit.scope,
        scope_id: limit.scope_id,
        window: limit.window,
        measure: limit.measure,
        amount: Number(fields.amount),
        expires_at: new Date(at + Number(fields.hours) * 3_600_000).toISOString(),
        reason,
        idempotency_key: key,
      }),
  });
}

export function revokeGrant(grant: Grant): Promise<boolean> {
  return confirmed({
    title: "Take a raise back",
    says: [
      sentence(
        `The ${grant.window} limit of ${grant.scope} `,
        grant.scope_id,
        ` falls by ${amount(grant.measure, grant.amount)} at once, for open sessions too.`,
      ),
    ],
    reasonHint: AUDITED,
    confirm: "Take it back",
    run: ({ reason }) => write("DELETE", `/api/v1/grants/${grant.grant_id}?${new URLSearchParams({ reason })}`),
  });
}

export function changeTeamLimit(team: {
  readonly team_id: string;
  readonly daily_cost_limit_usd: number | null;
}): Promise<boolean> {
  const now = team.daily_cost_limit_usd;
  return confirmed({
    title: "Change a team's daily limit",
    says: [
      sentence(
        "What team ",
        team.team_id,
        ` may spend in a day is now ${now === null ? "not limited" : money(now)}. The new limit wins over astra.yml and holds at once, for open sessions too.`,
      ),
    ],
    fields: [
      {
        name: "limit",
        label: "New daily limit (dollars)",
        kind: "number",
        value: now === null ? "" : String(now),
        hint: "Leave it empty for no limit.",
        optional: true,
      },
    ],
    reasonHint: AUDITED,
    confirm: "Change limit",
    run: ({ reason, key, fields }) =>
      write("PATCH", `/api/v1/settings/teams/${encodeURIComponent(team.team_id)}`, {
        daily_cost_limit_usd: fields.limit === "" ? null : Number(fields.limit),
        reason,
        idempotency_key: key,
      }),
  });
}
