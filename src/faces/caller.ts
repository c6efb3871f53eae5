// Who calls over a network, and what outlives a request: what those who mount faces and the faces have in common.
import type { Context, Principal } from "../operations/operation.ts";

/** Who sent a request, found out by whoever mounts a face. `id`: same text = same caller (a session belongs to it). */
export type KnownCaller = {
  readonly context: Context;
  readonly principal: Principal;
  readonly id: string;
  /** May it call still? Asked of those whose streams are open; absent = always. */
  stillMay?(): Promise<boolean>;
};

/** What outlives a request: whoever mounts a face must end it when its caller may not call any more. */
export type LongLived = {
  /** Whose sessions and streams are open. */
  callers(): Iterable<KnownCaller>;
  /** Ends all that is open of a caller. */
  drop(callerId: string): Promise<void>;
};
