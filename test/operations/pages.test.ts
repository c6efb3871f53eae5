// Lists by the page while what they list changes: no page is refused, repeats an entry or leaves one out.
import { expect, test } from "vitest";
import { START, type World, worldOf } from "../world.ts";
import { faultText } from "./witness.ts";

type Page = { readonly ids: string[]; readonly next: string | null };

async function page(world: World, list: "stops" | "grants", cursor: string | null): Promise<Page> {
  const args = { limit: 2, ...(cursor === null ? {} : { cursor }) };
  const answer = await world.call(`list_${list}`, args);
  const entries = answer[list] as Record<string, string>[];
  return {
    ids: entries.map((entry) => entry[`${list.slice(0, -1)}_id`] ?? ""),
    next: answer.next_cursor as string | null,
  };
}

const MAKE = {
  stops: async (world: World, i: number) => (await world.call("stop", { agent_id: `a${i}`, reason: "x" })).stop_id,
  grants: async (world: World) => {
    const expires_at = new Date(START + 60_000).toISOString();
    const grant = { scope: "team", scope_id: "t", amount: 1, expires_at, reason: "x" };
    return (await world.call("grant", grant)).grant_id;
  },
};
const TAKE_BACK = {
  stops: (world: World, id: string) => world.call("resume", { stop_id: id }),
  grants: (world: World, id: string) => world.call("revoke_grant", { grant_id: id }),
};

test.each(["stops", "grants"] as const)(
  "%s: the next page goes on where the last entry stood, though it has left",
  async (list) => {
    const world = await worldOf({ policy: { teams: [{ id: "t", dailyCostLimitUsd: 1 }] } });
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.unshift(String(await MAKE[list](world, i)));
    const first = await page(world, list, null);
    expect(first.ids).toEqual(ids.slice(0, 2));
    await TAKE_BACK[list](world, ids[1] ?? "");
    await TAKE_BACK[list](world, ids[2] ?? "");
    const second = await page(world, list, first.next);
    expect(second).toEqual({ ids: ids.slice(3), next: null });
    expect(await faultText(page(world, list, `${list.slice(0, -1)}_999999`))).toContain("cursor expected next_cursor");
  },
);
