// Plays random calls on a world and on the naive model beside it, and compares every answer and the ledger at the end.
import { expect } from "vitest";
import { usdFromNano } from "../../src/core/money.ts";
import { foldCosts } from "../../src/ledger/fold.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import type { Answer, World } from "../world.ts";
import { raw } from "./engines.ts";
import { compareLedgers } from "./ledgers.ts";
import { cents, hourOf, Model, type ModelHold, type ModelSession } from "./model.ts";

type Open = {
  readonly do: "open";
  readonly agent: string;
  readonly parent: number | null;
  readonly task: string | null;
  readonly user: string | null;
  /** Counts for agents that the policy does not list. */
  readonly role: string | null;
  readonly key: string | null;
};
type Report = {
  readonly do: "report";
  readonly session: number;
  /** Input, output and read from the cache. */
  readonly tokens: readonly [number, number, number];
  readonly cents: number | null;
  readonly tools: readonly { readonly tool: string; readonly count: number; readonly cents: number }[];
  readonly hold: number | null;
  readonly key: string | null;
  readonly ago: number;
  readonly isError: boolean;
};
type HoldCall = {
  readonly do: "hold";
  readonly session: number;
  readonly cents: number;
  readonly tokens: number;
  readonly ttl: number;
};
type Other =
  | { readonly do: "check"; readonly session: number }
  | { readonly do: "end"; readonly session: number; readonly status: string }
  | { readonly do: "stop" | "resume"; readonly agent: string }
  | { readonly do: "fold" };

/** A call with its subjects as numbers, that are taken modulo what there is by then. */
export type Call = Open | Report | HoldCall | Other;

/** Calls that are made at the same moment, after some time has passed. */
export type Step = { readonly wait: number; readonly calls: readonly Call[] };

const pick = <T>(list: readonly T[], at: number | null): T | undefined =>
  at === null ? undefined : list[at % list.length];

export class Player {
  readonly #world: World;
  readonly #model: Model;
  readonly #teams: Readonly<Record<string, string>>;
  /** First answers by session (or agent) and key, and what was asked. */
  readonly #keyed = new Map<string, { asked: string; id: string }>();

  constructor(world: World, teams: Readonly<Record<string, string>>) {
    this.#world = world;
    this.#teams = teams;
    this.#model = new Model(world.context.policy.onHoldExpiry);
  }

  async play(step: Step): Promise<void> {
    this.#world.pass(step.wait);
    const now = this.#world.context.now();
    const settled = await Promise.all(step.calls.map((call) => this.#start(call, now)));
    for (const compare of settled) compare();
    // A check finds out by reading, so what it expires comes after the writes of the moment.
    if (step.calls.some((call) => call.do === "check") && this.#model.sessions.length > 0) this.#model.expire(now);
  }

  /** Sends one call; answers how its outcome is to be compared once all of the moment are in. */
  async #start(call: Call, now: number): Promise<() => void> {
    if (call.do === "open") return this.#open(call, now);
    if (call.do === "fold") {
      await this.#world.ledger.write(() => foldCosts(this.#world.context.policy.workspace.id));
      return () => {};
    }
    if ("agent" in call) {
      const reason = call.do === "stop" ? { reason: "test" } : {};
      const sent = this.#world.call(call.do, { agent_id: call.agent, ...reason });
      await sent.catch((error) => expect(error.code).toBe("not_found"));
      return () => {};
    }
    const session = pick(this.#model.sessions, call.session);
    if (!session) return () => {};
    if (call.do === "report") return this.#report(call, session, now);
    if (call.do === "hold") return this.#hold(call, session, now);
    if (call.do === "end") {
      const answer = await this.#world.end({ session_id: session.id, status: call.status });
      return () => {
        if (session.status === "open") this.#model.expire(now);
        const { children, holds } = this.#model.end(session, call.status, now);
        expect(answer).toMatchObject({ ended_children: children, released_holds: holds });
      };
    }
    await this.#world.check({ session_id: session.id });
    return () => {};
  }

  async #open(call: Open, now: number): Promise<() => void> {
    const parent = pick(this.#model.sessions, call.parent);
    const args = {
      agent_id: call.agent,
      model: "known-model",
      ...(parent ? { parent_session_id: parent.id } : {}),
      ...(call.task === null ? {} : { task_id: call.task }),
      ...(call.user === null ? {} : { user_id: call.user }),
      ...(call.role === null ? {} : { role: call.role }),
      ...(call.key === null ? {} : { idempotency_key: call.key }),
    };
    const answer = await this.#world.open(args).catch((error) => error);
    return () => {
      if (this.#isRepeat(`${call.agent} ${call.key}`, call.key, JSON.stringify(args), answer, "session_id")) return;
      this.#model.expire(now);
      this.#model.closeOverdue(now);
      if (answer.session_id === null) return expect(answer.verdict.decision).toBe("deny");
      this.#model.sessions.push({
        id: answer.session_id,
        agent: call.agent,
        team: this.#teams[call.agent] ?? parent?.team ?? null,
        task: call.task ?? parent?.task ?? null,
        role: call.agent in this.#teams ? null : (call.role?.toLowerCase() ?? null),
        user: call.user ?? parent?.user ?? null,
        chain: [...(parent?.chain ?? []), answer.session_id],
        budget: answer.budget as Record<string, number>,
        openedAt: now,
        expiresAt: Date.parse(String(answer.expires_at)),
        status: "open",
        endedAt: null,
        outcome: null,
      });
    };
  }

  async #report(call: Report, session: ModelSession, now: number): Promise<() => void> {
    const hold = pick(this.#model.holds, call.hold);
    const own = hold?.session === session ? hold : undefined;
    const [input, output, cached] = call.tokens;
    const at = now - call.ago;
    const args = {
      session_id: session.id,
      input_tokens: input,
      output_tokens: output,
      cache_read_tokens: cached,
      ...(call.cents === null ? {} : { cost_usd: call.cents / 100 }),
      tool_calls: call.tools.map(({ tool, count, cents: each }) => ({ tool, count, cost_usd: each / 100 })),
      ...(own ? { hold_id: own.id } : {}),
      ...(call.key === null ? {} : { idempotency_key: call.key }),
      ...(call.isError ? { error: "It broke." } : {}),
      ...(call.ago === 0 ? {} : { occurred_at: new Date(at).toISOString() }),
    };
    const answer = await this.#world.report(args).catch((error) => error);
    return () => {
      if (answer.code === "invalid_input") return expect(call.ago).toBeGreaterThan(0);
      if (this.#isRepeat(`${session.id} ${call.key}`, call.key, JSON.stringify(args), answer, "charge_id")) return;
      const model = call.cents === null ? BigInt(input * 1_000 + output * 5_000 + cached * 100) : cents(call.cents);
      const cost = model + call.tools.reduce((sum, tool) => sum + cents(tool.cents), 0n);
      expect(answer).toMatchObject({ recorded: true, duplicate: false, cost_usd: Number(cost) / 1e9 });
      this.#model.expire(now, own);
      const settled = own ? this.#model.settle(own) : null;
      expect(answer.hold).toBe(settled);
      this.#model.charges.push({
        session,
        hour: own && settled === "settled" ? own.hour : hourOf(at), // what was admitted there is spent there
        cost,
        prompt: BigInt(input + cached),
        completion: BigInt(output),
        calls: call.tools.reduce((sum, tool) => sum + BigInt(tool.count), 0n),
        isError: call.isError,
      });
    };
  }

  async #hold(call: HoldCall, session: ModelSession, now: number): Promise<() => void> {
    const estimate = { cost_usd: call.cents / 100, input_tokens: call.tokens };
    const answer = await this.#world.check({ session_id: session.id, estimate, hold: true, hold_ttl_ms: call.ttl });
    return () => {
      this.#model.expire(now);
      expect(answer.hold_id === null).toBe(answer.verdict.decision === "deny");
      if (answer.hold_id === null) return;
      const held = { cost: cents(call.cents), prompt: BigInt(call.tokens), completion: 0n, calls: 0n };
      const hold: ModelHold = {
        ...held,
        session,
        hour: hourOf(now),
        id: answer.hold_id,
        // A hold outlives its session's deadline by five minutes at most.
        expiresAt: Math.min(now + call.ttl, session.expiresAt + 300_000),
        state: "held",
        booked: false,
      };
      this.#model.holds.push(hold);
      this.#model.expectWithin(answer, session, now);
    };
  }

  /** The same key again: the first one's id, or `id_reused` if something else was asked. */
  #isRepeat(
    scope: string,
    key: string | null,
    asked: string,
    answer: Answer & { code?: string },
    id: "charge_id" | "session_id",
  ): boolean {
    const first = key === null ? undefined : this.#keyed.get(scope);
    if (!first) {
      if (answer instanceof Error) throw answer;
      if (key !== null && answer[id] !== null) this.#keyed.set(scope, { asked, id: answer[id] });
      return false;
    }
    if (first.asked === asked) expect(answer[id]).toBe(first.id);
    else expect(answer.code).toBe("id_reused");
    return true;
  }

  /** The ledger agrees with itself, and in every row with the model. */
  async compare(): Promise<void> {
    const { ledger } = this.#world;
    await this.#world.check({ agent_id: "ada" });
    this.#model.expire(this.#world.context.now());
    expect((await ledger.read(verifyLedger)).differences).toEqual([]);
    for (const row of await ledger.read(() => raw("select * from balances"))) this.#model.expectBalance(row);
    const states = await ledger.read(() => raw("select id, state from holds"));
    expect(new Map(states.map((row) => [row.id, row.state]))).toEqual(
      new Map(this.#model.holds.map((hold) => [hold.id, hold.state])),
    );
    const [stored] = await ledger.read(() =>
      raw("select count(*) as charges, coalesce(sum(cost_nano_usd), 0) as cost from charges"),
    );
    const { spent } = this.#model.sums(() => true);
    expect(stored).toEqual({ charges: BigInt(this.#model.charges.length), cost: spent.cost });
    expect(await this.#world.costs()).toMatchObject({ total_cost_usd: usdFromNano(spent.cost) });
    await compareLedgers(ledger, this.#model);
  }
}
