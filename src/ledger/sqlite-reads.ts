// Readers together: what is asked in one tick is read from one snapshot, and what many ask alike is read once.
import type Database from "better-sqlite3";
import { isBusy, ledgerError } from "./sqlite-error.ts";
import type { FairQueue } from "./sqlite-queue.ts";
import type { Call, Value } from "./statement.ts";

export type Rows = readonly unknown[];
/** A statement with the values for its places. */
export type Ready = { readonly statement: Database.Statement; readonly values: readonly Value[] };

type Item = {
  readonly run: (answer: (call: Call) => Rows) => unknown;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
};

export class SharedReads {
  readonly #db: Database.Database;
  readonly #queue: FairQueue;
  readonly #ready: (call: Call) => Ready;
  readonly #begin: Database.Statement;
  readonly #commit: Database.Statement;
  #waiting: Item[] = [];
  #flushing = 0;

  constructor(db: Database.Database, queue: FairQueue, ready: (call: Call) => Ready) {
    this.#db = db;
    this.#queue = queue;
    this.#ready = ready;
    this.#begin = db.prepare("begin");
    this.#commit = db.prepare("commit");
  }

  /** Runs synchronous work that only reads, with a function that answers its calls; others of the tick see the same. */
  read<T>(run: (answer: (call: Call) => Rows) => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#waiting.push({ run, resolve, reject }) === 1) setImmediate(() => void this.#flush());
    });
  }

  /** Resolves when nothing is left to read. */
  async drained(): Promise<void> {
    while (this.#waiting.length > 0 || this.#flushing > 0) await new Promise((done) => setImmediate(done));
  }

  async #flush(): Promise<void> {
    const batch = this.#waiting;
    this.#waiting = [];
    this.#flushing += 1;
    try {
      const answers = await this.#queue.retry(() => {
        this.#begin.run();
        try {
          const answer = this.#remembering();
          return batch.map((item) => runOne(item, answer));
        } finally {
          if (this.#db.inTransaction) this.#commit.run();
        }
      });
      for (const answer of answers) answer();
    } catch (error) {
      for (const item of batch) item.reject(ledgerError(error));
    } finally {
      this.#flushing -= 1;
    }
  }

  /** In one snapshot the same question has the same answer. */
  #remembering(): (call: Call) => Rows {
    const known = new Map<Database.Statement, Map<string, Rows>>();
    return (call) => {
      const { statement, values } = this.#ready(call);
      const key = values.map((value) => (value === null ? "\u0001" : String(value))).join("\u0000");
      const answers = known.get(statement) ?? new Map<string, Rows>();
      known.set(statement, answers);
      const rows = answers.get(key) ?? statement.all(values);
      answers.set(key, rows);
      return rows;
    };
  }
}

/** A fault of one item is its own; only a lock that is not to be had concerns all. */
function runOne({ run, resolve, reject }: Item, answer: (call: Call) => Rows): () => void {
  try {
    const value = run(answer);
    return () => resolve(value as never);
  } catch (error) {
    if (isBusy(error)) throw error;
    const fault = ledgerError(error);
    return () => reject(fault);
  }
}
