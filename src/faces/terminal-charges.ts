// The terminal's commands that mend the past: corrections, new prices, old charges that go.
import { nanoFromUsd, usdFromNano } from "../core/money.ts";
import { correctCharge } from "../operations/correct.ts";
import { pruneCharges, vacuumLedger } from "../operations/prune.ts";
import { recost } from "../operations/recost.ts";
import { counted, dollars, table } from "./table.ts";
import { type Answer, count, type Line, money, text } from "./terminal-columns.ts";
import { type Command, command, option } from "./terminal-command.ts";

export const chargeCommands: readonly Command[] = [
  command("charge correct", correctCharge, {
    help: "say what a charge should have cost: charge correct ID --cost USD --reason TEXT",
    positional: "charge_id",
    options: {
      cost: option("cost_usd", "number", "dollars in all, its tools included"),
      reason: option("reason", "text", "why, for the audit"),
    },
    needs: [["cost"], ["reason"]],
    text: (answer) =>
      answer.correction_id === null
        ? `${answer.charge_id} costs ${dollars(Number(answer.after_usd))} already.`
        : `${answer.charge_id}: ${dollars(Number(answer.before_usd))} is now ${dollars(Number(answer.after_usd))} (${answer.correction_id}).`,
  }),
  command("recost", recost, {
    help: "price history again by today's prices: recost --since 2026-11-01 --dry-run shows the difference first",
    options: {
      since: option("since", "text", "YYYY-MM-DD, the first day"),
      until: option("until", "text", "YYYY-MM-DD, the last day (all since then)"),
      model: option("model", "text", "only charges of this model"),
      "dry-run": option("dry_run", "flag", "write nothing"),
      reason: option("reason", "text", "why, for the audit"),
    },
    needs: [["since"]],
    join: joined,
    text: recostText,
  }),
  command("ledger prune", pruneCharges, {
    help: "delete the charges of old days: ledger prune --before 2026-01-01 --keep-rollups",
    options: {
      before: option("before", "text", "YYYY-MM-DD: earlier days go; at least 31 days ago"),
      "keep-rollups": option("keep_rollups", "flag", "keep what they cost by day and every attribution"),
      reason: option("reason", "text", "why, for the audit"),
    },
    needs: [["before"]],
    join: (all, next) => ({
      ...next,
      pruned_charges: Number(all.pruned_charges) + Number(next.pruned_charges),
      pruned_days: Number(all.pruned_days) + Number(next.pruned_days),
    }),
    text: (answer) =>
      `Pruned ${counted(answer.pruned_charges, "charge")} and the costs of ${counted(answer.pruned_days, "day")}. Give the space back with: astra-budget ledger vacuum`,
  }),
  command("ledger vacuum", vacuumLedger, {
    help: "give the space of pruned charges back to the disk, while servers run",
    options: {},
    text: (answer) => `Gave ${(Number(answer.freed_bytes) / 1e6).toFixed(1)} MB back.`,
  }),
];

function joined(all: Answer, next: Answer): Answer {
  const models = new Map<string, Line>();
  for (const row of [...(all.by_model as Line[]), ...(next.by_model as Line[])]) {
    const known = models.get(String(row.model));
    models.set(
      String(row.model),
      known ? { ...row, ...added(known, row, ["changed", "before_usd", "after_usd"]) } : row,
    );
  }
  return {
    ...next,
    ...added(all, next, ["examined", "changed", "before_usd", "after_usd"]),
    too_dear: [...(all.too_dear as string[]), ...(next.too_dear as string[])],
    by_model: [...models.values()].sort((a, b) => (String(a.model) < String(b.model) ? -1 : 1)),
  };
}

/** Sums of counts and, by their names, of dollars. */
const added = (a: Answer, b: Answer, keys: readonly string[]): Record<string, number> =>
  Object.fromEntries(
    keys.map((key) => {
      const [one, other] = [Number(a[key]), Number(b[key])];
      return [key, key.endsWith("_usd") ? usdFromNano(nanoFromUsd(one) + nanoFromUsd(other)) : one + other];
    }),
  );

function recostText(answer: Answer): string {
  const difference = nanoFromUsd(Number(answer.after_usd)) - nanoFromUsd(Number(answer.before_usd));
  const head = `${counted(answer.examined, "priced charge")}: ${counted(answer.changed, "charge")} from ${dollars(Number(answer.before_usd))} to ${dollars(Number(answer.after_usd))} (${difference < 0n ? "-" : "+"}${dollars(usdFromNano(difference < 0n ? -difference : difference))}).`;
  const left = answer.too_dear as string[];
  const note = left.length > 0 ? `\nLeft alone, as they would cost more than $10,000: ${left.join(", ")}` : "";
  if (Number(answer.changed) === 0) return head + note;
  const columns = [
    text("model", "model"),
    count("charges", "changed"),
    money("before", "before_usd"),
    money("after", "after_usd"),
  ];
  return `${head}${note}\n\n${table(answer.by_model as Line[], columns, "")}`;
}
