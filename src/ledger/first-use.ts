// A ledger that is not opened before it is needed.
import type { Ledger } from "./ledger.ts";

/**
 * A ledger that is opened at its first use: a client may start a server only to ask for its tools, and that must
 * write nothing. A failed opening is tried again at the next use.
 */
export function openedAtFirstUse(open: () => Promise<Ledger>): Ledger {
  let opened: Promise<Ledger> | null = null;
  const ledger = (): Promise<Ledger> => {
    opened ??= open().catch((error) => {
      opened = null;
      throw error;
    });
    return opened;
  };
  return {
    write: async (work) => (await ledger()).write(work),
    read: async (work) => (await ledger()).read(work),
    changes: async () => (await ledger()).changes(),
    integrity: async () => (await ledger()).integrity(),
    vacuum: async () => (await ledger()).vacuum(),
    close: async () => {
      await (await opened)?.close();
    },
  };
}
