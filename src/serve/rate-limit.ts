// The rate limiter: requests a minute and caller, counted in one file by all servers of one ledger.
import Database from "better-sqlite3";
import { RateLimiterMemory, RateLimiterRes, RateLimiterSQLite } from "rate-limiter-flexible";

/** `/auth/*` is always this strict (Cost Control, "Rate limiting"). */
const AUTH_LIMIT = 10;
const WINDOW_S = 60;
/** How long one request may wait for another process at the file; after that this process counts alone. */
const WAIT_MS = 20;

export type RateState = {
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
  const db = new Database(file, { timeout: WAIT_MS });
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = OFF");
  const counters = {
    general: counterOf(limiterIn(db, "general", general, log), general),
    auth: counterOf(limiterIn(db, "auth", AUTH_LIMIT, log), AUTH_LIMIT),
  };
  return {
    count: (caller, category, nowMs) => counters[category](caller, Math.floor(nowMs / 60_000)),
    close: () => db.close(),
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
  return async (caller: string, minute: number): Promise<RateState> => {
    const state = { limit, resetsAt: (minute + 1) * WINDOW_S };
    if (limit === 0) return { ...state, remaining: 0, isOver: false };
    if (minute !== current) shares = new Map();
    current = minute;
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

/** Should the file fail, this process goes on counting by itself. */
function limiterIn(db: Database.Database, name: string, limit: number, log: (text: string) => void): RateLimiterSQLite {
  const options = { points: Math.max(limit, 1), duration: WINDOW_S, keyPrefix: name };
  return new RateLimiterSQLite(
    {
      ...options,
      storeClient: preparedOnce(db),
      storeType: "better-sqlite3",
      tableName: "rate_limits",
      clearExpiredByTimeout: true,
      insuranceLimiter: new RateLimiterMemory(options),
    },
    (error?: Error) => {
      if (error) log(`rate limits: ${error.message}`);
    },
  );
}

/** The library prepares its statement for every request and wraps it in a transaction; one statement needs neither. */
function preparedOnce(db: Database.Database) {
  const known = new Map<string, Database.Statement>();
  return {
    prepare: (sql: string) => {
      const statement = known.get(sql) ?? db.prepare(sql);
      known.set(sql, statement);
      return statement;
    },
    transaction: (run: () => unknown) => run,
  };
}
