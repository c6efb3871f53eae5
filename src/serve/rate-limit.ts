// The rate limiter: requests a minute and caller, counted in one file by all servers of one ledger.
import { RateLimiterMemory, RateLimiterRes, RateLimiterSQLite } from "rate-limiter-flexible";
import { openRateFile, type RateFile } from "./rate-file.ts";

/** `/auth/*` is always this strict (Cost Control, "Rate limiting"). */
const AUTH_LIMIT = 10;
const WINDOW_S = 60;
/** More callers than this in one minute share what is left: nobody gets a limit of their own by changing address. */
const MOST_CALLERS = 10_000;
const REST_OF_CALLERS = "all others";

export type RateState = {
  /** 0 = none. */
  readonly limit: number;
  readonly remaining: number;
  /** Epoch seconds, on a whole minute. */
  readonly resetsAt: number;
  readonly isOver: boolean;
};

export type RateLimits = {
  /** Counts one request of a caller. */
  count(caller: string, category: "general" | "auth", nowMs: number): Promise<RateState>;
  close(): void;
};

/**
 * `file` lies beside the ledger and may be lost: it is not the ledger, which no request should have to write to in
 * order to be refused. `general`: requests a minute, 0 = no limit.
 */
export function rateLimitsIn(file: string, general: number, log: (text: string) => void): RateLimits {
  const shared = openRateFile(file, log);
  const counters = {
    general: counterOf(limiterIn(shared, "general", general), general),
    auth: counterOf(limiterIn(shared, "auth", AUTH_LIMIT), AUTH_LIMIT),
  };
  let current = 0;
  return {
    count: (caller, category, nowMs) => {
      const minute = Math.floor(nowMs / 60_000);
      if (minute !== current) shared.forgetBefore(nowMs);
      current = minute;
      return counters[category](caller, minute);
    },
    close: () => shared.close(),
  };
}

/** What a server has taken of a caller's minute, and has not used yet. */
type Share = { left: number; remaining: number; isOver: boolean };

/**
 * A server takes requests out of the shared minute a thousandth of the limit at a time, so up to 1,000 a minute one by
 * one; a busy server with a high limit need not write for each. What it does not use is lost to the others.
 */
function counterOf(limiter: RateLimiterSQLite, limit: number) {
  const step = Math.max(1, Math.floor(limit / 1_000));
  let shares = new Map<string, Share>();
  let current = 0;
  const take = async (caller: string, minute: number): Promise<Share> => {
    try {
      const { remainingPoints } = await limiter.consume(`${minute} ${caller}`, step);
      return { left: step, remaining: remainingPoints, isOver: false };
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      return { left: 0, remaining: 0, isOver: true };
    }
  };
  return async (asked: string, minute: number): Promise<RateState> => {
    const state = { limit, resetsAt: (minute + 1) * WINDOW_S };
    if (limit === 0) return { ...state, remaining: 0, isOver: false };
    if (minute !== current) shares = new Map();
    current = minute;
    const caller = shares.size < MOST_CALLERS || shares.has(asked) ? asked : REST_OF_CALLERS;
    let share = shares.get(caller);
    if (!share || (share.left === 0 && !share.isOver)) {
      share = await take(caller, minute);
      shares.set(caller, share);
    }
    if (share.isOver) return { ...state, remaining: 0, isOver: true };
    share.left -= 1;
    return { ...state, remaining: share.remaining + share.left, isOver: false };
  };
}

/** While the file fails, this process goes on counting by itself. */
function limiterIn({ client, table }: RateFile, name: string, limit: number): RateLimiterSQLite {
  const options = { points: Math.max(limit, 1), duration: WINDOW_S, keyPrefix: name };
  return new RateLimiterSQLite({
    ...options,
    storeClient: client,
    storeType: "better-sqlite3",
    tableName: table,
    tableCreated: true,
    // The library's own cleaning ends the process when it fails.
    clearExpiredByTimeout: false,
    insuranceLimiter: new RateLimiterMemory(options),
  });
}
