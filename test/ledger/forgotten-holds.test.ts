// Thousands of holds that nobody settled fall due at once: the next write lets all of them go and is not refused itself.
import { expect, test } from "vitest";
import { verifyLedger } from "../../src/ledger/verify.ts";
import { worldOf } from "../world.ts";
import { raw } from "./engines.ts";

const COUNT = 2_000;

test.each(["release", "charge"])(
  "2,000 forgotten holds of as many sessions, to %s, do not stand in the way",
  async (onHoldExpiry) => {
    const world = await worldOf({ policy: { onHoldExpiry, workspace: { dailyCostLimitUsd: COUNT / 100 } } });
    const sessions = await Promise.all(Array.from({ length: COUNT }, () => world.open()));
    const estimate = { cost_usd: 0.01 };
    const hold = (session_id: string) => world.check({ session_id, estimate, hold: true, hold_ttl_ms: 60_000 });
    const held = await Promise.all(sessions.map((session) => hold(session.session_id)));
    expect(held.every((answer) => answer.hold_id !== null)).toBe(true);
    const [first] = sessions;
    expect((await hold(first?.session_id ?? "")).verdict.decision).toBe("deny");
    world.pass(60_000);
    const answer = await hold(first?.session_id ?? "");
    expect(answer.verdict.decision).toBe(onHoldExpiry === "release" ? "allow" : "deny");
    const [row] = await world.ledger.read(() => raw("select count(*) as expired from holds where state = 'expired'"));
    expect(row).toEqual({ expired: BigInt(COUNT) });
    expect((await world.ledger.read(verifyLedger)).differences).toEqual([]);
    await world.ledger.close();
  },
);
