// The terminal's commands for limits at run time, keys and the audit.
import { listAudit, verifyAudit } from "../operations/audit.ts";
import { grant, listGrants, revokeGrant } from "../operations/grants.ts";
import { createKey, listKeys, revokeKey } from "../operations/keys.ts";
import { getTeam, setTeamLimits } from "../operations/teams.ts";
import {
  auditCheckText,
  auditText,
  grantsText,
  grantText,
  keysText,
  keyText,
  teamText,
} from "./terminal-authority-text.ts";
import { type Command, command, option } from "./terminal-command.ts";

export const authorityCommands: readonly Command[] = [
  command("grant", grant, {
    help: "raise one limit for a while, never past the hard caps",
    options: {
      scope: option("scope", "text", "session, task, agent, team or workspace"),
      id: option("scope_id", "text", "which one"),
      amount: option("amount", "number", "by how much: dollars, or tokens or calls"),
      until: option("expires_at", "text", "ISO 8601, e.g. 2026-11-23T00:00:00Z; at most 31 days ahead"),
      reason: option("reason", "text", "why, for the audit"),
      window: option("window", "text", "session, hour, day, month or total (the scope's own)"),
      measure: option(
        "measure",
        "text",
        "cost_usd, total_tokens, prompt_tokens, completion_tokens or tool_calls (cost_usd)",
      ),
    },
    needs: [["scope"], ["id"], ["amount"], ["until"], ["reason"]],
    text: grantText,
  }),
  command("grants", listGrants, {
    help: "the grants in force",
    options: { limit: option("limit", "number", "how many (50)") },
    text: grantsText,
  }),
  command("grant revoke", revokeGrant, {
    help: "end a grant before its time",
    positional: "grant_id",
    options: { reason: option("reason", "text", "why, for the audit") },
    text: (answer) => `Revoked: grant ${answer.grant_id} on ${answer.scope} ${answer.scope_id}.`,
  }),
  command("team show", getTeam, { help: "a team's limits", positional: "team_id", options: {}, text: teamText }),
  command("team limit", setTeamLimits, {
    help: "set what a team may spend; it wins over astra.yml and holds at once",
    positional: "team_id",
    options: {
      daily: option("daily_cost_limit_usd", "number or none", "dollars a day, or none"),
      task: option("task_cost_limit_usd", "number or none", "dollars for each task, or none"),
      reason: option("reason", "text", "why, for the audit"),
    },
    needs: [["daily", "task"]],
    text: teamText,
  }),
  command("key create", createKey, {
    help: "make an API key for the HTTP server; its secret is shown this once",
    options: {
      name: option("name", "text", "whose it is"),
      role: option("role", "text", "agent, viewer, operator or owner (agent)"),
      agent: option("agent_id", "text", "for the role agent: the one agent it speaks for"),
      expires: option("expires_at", "text", "ISO 8601 (never)"),
    },
    needs: [["name"]],
    text: keyText,
  }),
  command("key list", listKeys, {
    help: "all keys, never a secret",
    options: { limit: option("limit", "number", "how many (50)") },
    text: keysText,
  }),
  command("key revoke", revokeKey, {
    help: "make a key stop working",
    positional: "key_id",
    options: { reason: option("reason", "text", "why, for the audit") },
    text: (answer) => `Revoked: key ${answer.key_id} (${answer.name}).`,
  }),
  command("audit", listAudit, {
    help: "who changed what and when, the newest first",
    options: {
      limit: option("limit", "number", "how many (50)"),
      cursor: option("cursor", "text", "go on after this entry"),
    },
    text: auditText,
  }),
  command("audit verify", verifyAudit, {
    help: "recompute the audit's chain of hashes; exits 1 where it is broken",
    options: {},
    text: auditCheckText,
    exitCode: (answer) => (answer.ok ? 0 : 1),
  }),
];
