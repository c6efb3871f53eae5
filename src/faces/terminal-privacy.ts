// The terminal's commands for the privacy budget.
import { getPrivacyBudget, resetPrivacyBudget } from "../operations/privacy-budget.ts";
import { shownText, table } from "./table.ts";
import { type Answer, count, type Line, text } from "./terminal-columns.ts";
import { type Command, command, option } from "./terminal-command.ts";

export const privacyCommands: readonly Command[] = [
  command("privacy budget", getPrivacyBudget, {
    help: "what viewers may still be told of single users",
    options: {
      user: option("uid", "text", "one user only"),
      limit: option("limit", "number", "how many (50)"),
      cursor: option("cursor", "text", "go on after this user"),
    },
    text: budgetText,
  }),
  command("privacy reset", resetPrivacyBudget, {
    help: "forgive what was told of a user; this ends the lifetime guarantee",
    positional: "uid",
    options: { reason: option("reason", "text", "why, for the audit") },
    text: (answer) =>
      shownText(
        `User ${answer.uid}: ${answer.remaining} of ${answer.total} epsilon may be told again. Over all time it is ${answer.lifetime_spent}: what was told stays told.`,
      ),
  }),
];

function budgetText(answer: Answer): string {
  const price =
    answer.mechanism === "laplace"
      ? `Laplace, epsilon ${answer.epsilon_per_release} for each number`
      : `Gaussian, rho ${answer.rho_per_release} for each number, epsilon at delta ${answer.delta}`;
  const state = answer.enabled
    ? `On: viewers are told single users' numbers with noise (${price}).`
    : "Off: viewers see single users' numbers as they are. Switch it on with privacy: { enabled: true } in astra.yml.";
  const users = table(
    answer.users as Line[],
    [
      text("user", "uid"),
      text("total", "total"),
      text("spent", "spent"),
      text("left", "remaining"),
      count("releases", "releases"),
      count("resets", "resets"),
      text("over all time", "lifetime_spent"),
    ],
    "No users yet: agents name them as user_id in open_session.",
  );
  const more = answer.next_cursor === null ? "" : `\nMore: --cursor ${shownText(String(answer.next_cursor))}`;
  return `${state}\n\n${users}${more}`;
}
