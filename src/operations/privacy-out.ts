// What an answer says of the noise in it: how much, which days it covers, and whose budget is spent.
import { deviationOf } from "../core/privacy.ts";
import { NANO } from "../core/privacy-account.ts";
import { firstDayOf, windowAt } from "../core/window.ts";
import type { Context } from "./operation.ts";

/** Both inclusive. */
type Days = { readonly fromDay: string; readonly toDay: string };

function yesterdayOf(context: Context): string {
  return firstDayOf(2, windowAt("day", context.now(), context.policy.workspace.timezone).key);
}

/**
 * Days that are over: a number that is still growing would have to be told, and charged, again and again. Null where
 * none of the days is.
 */
export function completeDays(context: Context, { fromDay, toDay }: Days): Days | null {
  const yesterday = yesterdayOf(context);
  const last = toDay < yesterday ? toDay : yesterday;
  return fromDay <= last ? { fromDay, toDay: last } : null;
}

/** For whoever reads the answer; `days` are null where nothing was told because none was over. */
export function privacyOut({ policy: { privacy } }: Context, days: Days | null, withheld: readonly string[]) {
  const bound = Number(privacy.bounds.cost) / 1e9;
  const deviation = Math.round(deviationOf(privacy) * bound * 100) / 100;
  const message = days
    ? `Numbers of single users have noise, costs typically $${deviation} either way, and cover ${days.fromDay} to ${days.toDay}.`
    : "None of these days is over: numbers of single users are told of whole days only.";
  const spent = withheld.length > 0 ? " Of the users in withheld no more is told: their privacy budget is spent." : "";
  return {
    mechanism: privacy.mechanism,
    ...(privacy.mechanism === "laplace"
      ? { epsilon_per_release: Number(privacy.epsilonPerRelease) / Number(NANO) }
      : { rho_per_release: Number(privacy.rhoPerRelease) / Number(NANO) }),
    bound_usd: bound,
    standard_deviation_usd: deviation,
    start_date: days?.fromDay ?? null,
    end_date: days?.toDay ?? null,
    withheld,
    message: `${message}${spent}`,
  };
}
