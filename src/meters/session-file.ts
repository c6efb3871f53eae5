// A client's session file as a hook reads it, which remembers nothing: every line, and whether the ledger has it already.
import { closeSync, fstatSync } from "node:fs";
import { AstraError } from "../core/error.ts";
import { bookedBytesOf } from "../operations/meter-usage.ts";
import type { Context } from "../operations/operation.ts";
import { openConfined } from "./confined-file.ts";
import { readLines } from "./line-reader.ts";
import { MeterFault } from "./meter-fault.ts";

export type SessionFile = { readonly path: string; readonly bytes: number };

/**
 * Reads the file from its start, as a line may need what stands before it. `isNew`: it was written since the file was
 * last booked. Gives how far it was read, to be booked with what it tells. `root`: the only folder that is read from.
 */
export async function readSession(
  context: Context,
  root: string,
  path: string,
  onLine: (line: Buffer, isNew: boolean) => void,
): Promise<SessionFile> {
  const booked = await bookedBytesOf(context, path);
  const fd = openSession(root, path);
  try {
    // A shorter file is another one, and all of it is new.
    const known = fstatSync(fd).size < booked ? 0 : booked;
    const { end } = readLines(fd, 0, (line, at) => onLine(line, at >= known));
    return { path, bytes: end };
  } finally {
    closeSync(fd);
  }
}

function openSession(root: string, path: string): number {
  const fd = confined(root, path);
  if (fd === null) throw new MeterFault("no_transcript");
  return fd;
}

function confined(root: string, path: string): number | null {
  try {
    return openConfined(root, path);
  } catch (error) {
    if (error instanceof AstraError) throw new MeterFault("foreign_path");
    throw error;
  }
}
