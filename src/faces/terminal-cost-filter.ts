// The options of every command about costs: which days, and whose.
import { option } from "./terminal-command.ts";

export const costFilterOptions = {
  months: option("months", "number", "calendar months back, this one included (3)"),
  days: option("days", "number", "days back, today included"),
  from: option("start_date", "text", "first day, YYYY-MM-DD"),
  to: option("end_date", "text", "last day, YYYY-MM-DD"),
  agent: option("agent_id", "text", "one agent only"),
  team: option("team_id", "text", "one team only"),
  task: option("task_id", "text", "one task only"),
  user: option("user_id", "text", "one user only"),
  role: option("role", "text", "one role only"),
  provider: option("provider", "text", "one provider only"),
  model: option("model", "text", "one model only"),
  tool: option("tool", "text", "one tool only; llm is the model itself"),
  session: option("session_id", "text", "one session only, with the tree of those below it"),
};
