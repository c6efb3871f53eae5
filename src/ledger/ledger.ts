// The ledger as operations see it: transactions of work over one engine, whichever it is.
import type { Work } from "./statement.ts";

export type Ledger = {
  /**
   * Runs the work in one transaction that holds the write lock from its first statement, and resolves after the
   * commit. `work` may be started again when the lock was not to be had; it must have no effect but its calls.
   * Rejects with what the work threw (nothing of it is written then) or an AstraError of the ledger.
   */
  write<T>(work: () => Work<T>): Promise<T>;
  /** Runs the work on one consistent snapshot, without the lock. */
  read<T>(work: () => Work<T>): Promise<T>;
  /** A number that moves with every commit, of this process or another. Cheap: ask as often as need be. */
  changes(): Promise<number>;
  /** The engine's own check of what it stores: what is wrong, nothing when all is well. Reads the whole ledger. */
  integrity(): Promise<readonly string[]>;
  /** Gives free space back to the disk, in steps that let other writers through; answers how many bytes. */
  vacuum(): Promise<number>;
  close(): Promise<void>;
};
