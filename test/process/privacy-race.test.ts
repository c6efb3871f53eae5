// Eight processes ask about the same users at once: no budget is overspent, no question charged twice or answered in two ways.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { openSqlite } from "../../src/ledger/sqlite.ts";
import { newRoom } from "../faces/room.ts";
import { raw } from "../ledger/engines.ts";
import { DAY, type PrivateAnswer, policyWith, spend, wrongAccounts } from "../operations/privacy-world.ts";
import { worldOf } from "../world.ts";

const PROCESSES = 8;
const USERS = ["alice", "bob", "carol", "dave"];
const QUESTIONS = 12;
/** Of twelve questions a budget pays for seven: 7 × 0.4 = 2.8, an eighth would be 3.2. */
const PRIVACY = { epsilonTotal: 3, epsilonPerRelease: 0.4 };
const PAID = 7;

/** All of days that are over, so that no midnight changes what is asked. */
function questions(now: number): Record<string, unknown>[] {
  const day = (back: number) => new Date(now - back * DAY).toISOString().slice(0, 10);
  const range = (i: number) => ({ start_date: day(3 + i), end_date: day(3) });
  return Array.from({ length: QUESTIONS }, (_, i) => ({ ...range(i), group_by: ["user"] }));
}

/** Each process asks them in another order, and half of them of one user at a time. */
function orderOf(all: readonly Record<string, unknown>[], index: number): Record<string, unknown>[] {
  const turned = [...all.slice(index), ...all.slice(0, index)];
  if (index % 2 === 0) return turned;
  return turned.flatMap(({ group_by: _, ...range }) => USERS.map((user_id) => ({ ...range, user_id }))).reverse();
}

function ask(args: readonly string[]): Promise<PrivateAnswer[]> {
  const script = fileURLToPath(new URL("asker.ts", import.meta.url));
  const child = spawn(process.execPath, [script, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (more: string) => {
    text += more;
  });
  return new Promise((resolve, reject) => {
    child.on("close", (code) =>
      code === 0 ? resolve(JSON.parse(text)) : reject(new Error(`asker ended with ${code}`)),
    );
  });
}

test("eight processes that ask at once spend exactly what each budget pays for, and hear the same", async () => {
  const room = newRoom();
  const file = join(room.folder, "race.db");
  const ledger = await openSqlite(file);
  const now = Date.now();
  const world = await worldOf({ ledger, policy: policyWith(PRIVACY), start: now - 3 * DAY });
  for (const [i, user_id] of USERS.entries()) await spend(world, i + 1, { user_id });
  const all = questions(now);
  const orders = Array.from({ length: PROCESSES }, (_, i) => orderOf(all, i));
  const startAt = String(Date.now() + 3_000);
  const answers = await Promise.all(
    orders.map((order) => ask([file, JSON.stringify(policyWith(PRIVACY)), JSON.stringify(order), startAt])),
  );

  const heard = new Map<string, Set<number | "withheld">>();
  for (const [i, answer] of answers.entries()) {
    for (const [j, { by_user, privacy }] of answer.entries()) {
      const asked = orders[i]?.[j];
      for (const user of asked?.user_id === undefined ? USERS : [String(asked.user_id)]) {
        const cost = by_user[user];
        expect(privacy.withheld.includes(user), `${user} is told, or withheld`).toBe(cost === undefined);
        const name = `${user} ${asked?.start_date}`;
        heard.set(name, (heard.get(name) ?? new Set()).add(cost ?? "withheld"));
      }
    }
  }
  expect(heard.size).toBe(USERS.length * QUESTIONS);
  for (const [name, costs] of heard) expect([name, [...costs]]).toEqual([name, [expect.anything()]]);
  for (const user of USERS) {
    const told = [...heard].filter(([name, costs]) => name.startsWith(user) && !costs.has("withheld"));
    expect([user, told.length]).toEqual([user, PAID]);
  }
  const accounts = await ledger.read(() =>
    raw("select user_id, epsilon_nano, releases from privacy_accounts order by user_id"),
  );
  expect(accounts).toEqual(USERS.map((user_id) => ({ user_id, epsilon_nano: 2_800_000_000n, releases: BigInt(PAID) })));
  expect(await wrongAccounts(ledger)).toEqual([]);
  await ledger.close();
});
