// What Claude Code itself wrote about its sessions: the costs that it counted, to compare ours with.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Room } from "../faces/room.ts";
import { transcriptsOf } from "./claude.ts";

type Line = { readonly type: string; readonly sessionId?: string; readonly totalCostUSD?: number };

/** The last sum that the client wrote down when it left the session; undefined = none. */
export function costStateOf(room: Room, sessionId: string): number | undefined {
  return linesIn(transcriptsOf(room))
    .filter((line) => line.type === "cost-state" && line.sessionId === sessionId)
    .at(-1)?.totalCostUSD;
}

function linesIn(folder: string): Line[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".jsonl"))
    .flatMap((name) => readFileSync(join(folder, name), "utf8").split("\n").filter(Boolean))
    .map((line) => JSON.parse(line) as Line);
}
