// Limits at run time, keys and the audit as text for a person at a terminal.
import { dollars, shownText, table } from "./table.ts";
import { type Answer, cut, type Line, text } from "./terminal-columns.ts";

export const teamText = (answer: Answer): string =>
  `Team ${shownText(String(answer.team_id))}: ${limitText(answer.daily_cost_limit_usd)} a day, ${limitText(answer.task_cost_limit_usd)} for each task.`;

const limitText = (usd: unknown): string => (usd === null ? "no limit" : dollars(Number(usd)));

export function grantText(answer: Answer): string {
  const unit = answer.measure === "cost_usd" ? dollars : String;
  const what = `${answer.measure} of ${answer.scope} ${answer.scope_id} (${answer.window})`;
  return `Granted: ${what} from ${unit(Number(answer.limit_before))} to ${unit(Number(answer.limit_after))} until ${answer.expires_at}. Take it back with: astra-budget grant revoke ${answer.grant_id}`;
}

export const grantsText = (answer: Answer): string =>
  table(
    answer.grants as Line[],
    [
      text("grant", "grant_id"),
      text("scope", "scope"),
      text("of", "scope_id"),
      text("window", "window"),
      text("measure", "measure"),
      text("amount", "amount"),
      text("until", "expires_at"),
      text("reason", "reason"),
    ],
    "No grants are in force.",
  );

export const keyText = (answer: Answer): string =>
  [
    `Key ${answer.key_id} (${shownText(String(answer.name))}), role ${answer.role}${answer.agent_id === null ? "" : ` ${answer.agent_id}`}.`,
    `Shown this once: ${answer.secret}`,
    "Send it as X-API-Key, or as Authorization: Bearer.",
  ].join("\n");

export const keysText = (answer: Answer): string =>
  table(
    answer.keys as Line[],
    [
      text("key", "key_id"),
      text("name", "name"),
      text("role", "role"),
      text("agent", "agent_id"),
      text("begins", "secret_start"),
      text("last used", "last_used_at"),
      text("expires", "expires_at"),
      text("revoked", "revoked_at"),
    ],
    "No keys. The first start of astra-budget serve makes one.",
  );

export function auditText(answer: Answer): string {
  const lines = (answer.entries as Answer[]).map(({ before, after, ...entry }) => ({
    ...(entry as Line),
    change: `${JSON.stringify(before)} -> ${JSON.stringify(after)}`,
  }));
  const listed = table(
    lines,
    [
      text("seq", "seq"),
      text("at", "at"),
      text("actor", "actor"),
      text("action", "action"),
      text("target", "target"),
      { title: "change", align: "left", cell: (row) => cut(String(row.change), 80) },
      text("why", "why"),
    ],
    "The audit is empty.",
  );
  return answer.next_cursor === null ? listed : `${listed}\nOlder ones: --cursor ${answer.next_cursor}`;
}

export const auditCheckText = (answer: Answer): string =>
  answer.ok
    ? `The audit is whole, entries: ${answer.entries}. Keep its last hash elsewhere: ${answer.hash}`
    : `The audit was tampered with: ${answer.fault}.`;
