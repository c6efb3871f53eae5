// The sums of one room's answers: the mock's, Claude Code's own and our ledger's, which must be the same.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { Room } from "../faces/room.ts";
import { type Ended, transcriptsOf } from "./claude.ts";
import type { MockApi } from "./mock-api.ts";
import { ANSWER_USD } from "./mock-message.ts";

/** What the mock's answers cost, and what Claude Code says when it ends and writes into the session's file. */
export function expectCounted(room: Room, api: MockApi, { result }: Ended): void {
  const mock = microUsd(api.requests.length * ANSWER_USD);
  const sums = { client: microUsd(result.total_cost_usd), state: costStateOf(room, result.session_id) };
  expect(sums).toEqual({ client: mock, state: mock });
}

/** And our ledger says the same. */
export async function expectBooked(room: Room, api: MockApi, ended: Ended): Promise<void> {
  expectCounted(room, api, ended);
  const { total_cost_usd } = await room.json(["costs"]);
  expect(microUsd(Number(total_cost_usd))).toBe(microUsd(ended.result.total_cost_usd));
}

/** The client adds up floats: its sums are no exact decimals. */
const microUsd = (usd: number): number => Math.round(usd * 1e6);

type Line = { readonly type: string; readonly sessionId?: string; readonly totalCostUSD?: number };

/** The last sum that the client wrote down when it left the session; undefined = none. */
function costStateOf(room: Room, sessionId: string): number | undefined {
  const states = linesIn(transcriptsOf(room)).filter(
    ({ type, sessionId: of }) => type === "cost-state" && of === sessionId,
  );
  const sum = states.at(-1)?.totalCostUSD;
  return sum === undefined ? undefined : microUsd(sum);
}

function linesIn(folder: string): Line[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".jsonl"))
    .flatMap((name) => readFileSync(join(folder, name), "utf8").split("\n").filter(Boolean))
    .map((line) => JSON.parse(line) as Line);
}
