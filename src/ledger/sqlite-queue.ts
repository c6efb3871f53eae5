// Writers in line: what arrives in one tick shares a commit, and processes take turns at the lock.
import { setTimeout as sleep } from "node:timers/promises";
import type Database from "better-sqlite3";
import { AstraError } from "../core/error.ts";
import { isBusy, ledgerError } from "./sqlite-error.ts";

/** How long a write waits for the lock. */
const DEADLINE_MS = 10_000;
/** More than this many writes in line would wait longer than anybody waits for an answer. */
const MOST_WAITING = 20_000;
/** Another process's commit within this time means that others want the lock too. */
const NEIGHBOUR_MS = 2_000;
const COURTESY_MS = 25;

type Item = {
  readonly run: () => unknown;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
};

function tooManyWaiting(): AstraError {
  return new AstraError(
    "ledger_busy",
    "Too many writes are waiting.",
    "Repeat the call with the same idempotency_key.",
  );
}

/**
 * SQLite's own busy handler lets one looping process starve the rest for seconds. Here a writer polls evenly, and
 * one that sees others' commits leaves the lock free for as long as it last held it.
 */
export class FairQueue {
  readonly #db: Database.Database;
  readonly #begin: Database.Statement;
  readonly #commit: Database.Statement;
  readonly #savepoint: Database.Statement;
  readonly #release: Database.Statement;
  readonly #version: Database.Statement;
  readonly #waiting: Item[] = [];
  /** How many transactions were committed here. */
  commits = 0;
  #flushing: Promise<void> | null = null;
  #dataVersion: number | null = null;
  #neighbourSeenAt = Number.NEGATIVE_INFINITY;
  #lastEnd = Number.NEGATIVE_INFINITY;
  #lastHold = 0;

  constructor(db: Database.Database) {
    this.#db = db;
    this.#begin = db.prepare("begin immediate");
    this.#commit = db.prepare("commit");
    this.#savepoint = db.prepare("savepoint item");
    this.#release = db.prepare("release item");
    this.#version = db.prepare("pragma data_version").pluck();
  }

  /** Runs synchronous work inside a transaction that others of the same tick may share; resolves after COMMIT. */
  write<T>(run: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#waiting.length >= MOST_WAITING) throw tooManyWaiting();
      this.#waiting.push({ run, resolve, reject });
      this.#flushing ??= new Promise((done) => setImmediate(done)).then(() => this.#flush());
    });
  }

  /** Repeats an attempt while the ledger is locked, up to the deadline. */
  async retry<T>(attempt: () => T): Promise<T> {
    const deadline = performance.now() + DEADLINE_MS;
    for (;;) {
      try {
        return attempt();
      } catch (error) {
        if (!isBusy(error) || performance.now() > deadline) throw error;
        this.#neighbourSeenAt = performance.now();
        await sleep(1);
      }
    }
  }

  /** Resolves when nothing is left to write. */
  async drained(): Promise<void> {
    while (this.#flushing) await this.#flushing;
  }

  async #flush(): Promise<void> {
    const batch: Item[] = [];
    try {
      await this.#courtesy();
      await this.retry(() => {
        const from = performance.now();
        this.#begin.run();
        // An attempt that met a lock later than at its start is repeated with what it had.
        for (const item of this.#waiting.splice(0)) batch.push(item);
        const answers = this.#runAll(batch);
        this.#lastEnd = performance.now();
        this.#lastHold = this.#lastEnd - from;
        for (const answer of answers) answer();
      });
    } catch (error) {
      // The lock was never had, or the whole batch was undone: nobody's work is written, and each is told.
      const failed = batch.length > 0 ? batch : this.#waiting.splice(0);
      for (const item of failed) item.reject(ledgerError(error));
    }
    this.#flushing =
      this.#waiting.length > 0 ? new Promise((done) => setImmediate(done)).then(() => this.#flush()) : null;
  }

  /** Runs the items, then commits; answers are given to the callers only after that. */
  #runAll(batch: readonly Item[]): (() => void)[] {
    try {
      const answers = batch.map((item) => this.#runOne(item, batch.length));
      this.#commit.run();
      this.commits += 1;
      return answers;
    } catch (error) {
      if (this.#db.inTransaction) this.#db.exec("rollback");
      throw error;
    }
  }

  /** One item; where others share the transaction, its fault undoes only its own writes. */
  #runOne(item: Item, count: number): () => void {
    if (count > 1) this.#savepoint.run();
    try {
      const value = item.run();
      if (count > 1) this.#release.run();
      return () => item.resolve(value as never);
    } catch (error) {
      // A full disk or an I/O error may have undone the whole transaction already: then all fail together.
      if (count === 1 || !this.#db.inTransaction) throw error;
      this.#db.exec("rollback to item; release item");
      return () => item.reject(ledgerError(error));
    }
  }

  async #courtesy(): Promise<void> {
    const now = performance.now();
    const version = this.#version.get() as number;
    if (this.#dataVersion !== null && version !== this.#dataVersion) this.#neighbourSeenAt = now;
    this.#dataVersion = version;
    const isContended = now - this.#neighbourSeenAt < NEIGHBOUR_MS;
    if (isContended && now - this.#lastEnd < this.#lastHold) await sleep(Math.min(COURTESY_MS, this.#lastHold));
  }
}
