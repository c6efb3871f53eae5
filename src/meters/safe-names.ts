// Names out of other programs' files in the form that the ledger takes: what does not fit is replaced, never dropped.
import { createHash } from "node:crypto";
import { callerId } from "../core/id.ts";

/** What a model is called whose name could not be kept: it has no price of its own. */
const UNKNOWN_MODEL = "unknown";
const OTHER_TOOL = "other";

/** Nearly every id: told by one look, as a transcript has several on each line. */
const PLAIN_ID = /^[A-Za-z0-9._:@/#+-]{1,128}$/;

export function fitsAsId(text: string): boolean {
  return PLAIN_ID.test(text) || callerId.safeParse(text).success;
}

/** A provider's name; null where the price list must tell whose model it is. */
export function providerName(given: unknown): string | null {
  return typeof given === "string" && fitsAsId(given) ? given : null;
}

/** A model's name. Claude Code marks a larger context in brackets ("…[1m]"), which is no part of the name. */
export function modelName(text: string): string {
  const name = text.replace(/\[[^[\]]*\]$/, "");
  return fitsAsId(name) ? name : UNKNOWN_MODEL;
}

export function toolName(text: string): string {
  return fitsAsId(text) ? text : OTHER_TOOL;
}

/** A call's id; one that does not fit gets the same substitute wherever it is read, so that it can still be found. */
export function callId(text: string): string {
  return fitsAsId(text) ? text : `call-${createHash("sha256").update(text).digest("hex").slice(0, 32)}`;
}
