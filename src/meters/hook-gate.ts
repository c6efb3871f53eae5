// The gate of a client whose hooks start a process each: what is new of its usage is booked, then the hook is answered.
import type { MeteredResponse } from "../core/metered.ts";
import { usedText } from "../core/verdict.ts";
import type { Renewal } from "../operations/meter-session.ts";
import { type Metered, meterUsage } from "../operations/meter-usage.ts";
import type { Context } from "../operations/operation.ts";
import { GO_ON, type HookAnswer } from "./hook-answer.ts";
import { MeterFault, notedFault } from "./meter-fault.ts";
import type { ReadFile } from "./read-session.ts";

/** What a hook brings: all that its session used and the ledger does not have, in whichever of its threads. */
export type News = {
  readonly sessionId: string;
  readonly responses: readonly MeteredResponse[];
  readonly files: readonly ReadFile[];
  /** Something that should tell usage does not. */
  readonly isDamaged: boolean;
  readonly renewal: Renewal;
  /** The model that is asked next; null = not told. */
  readonly model: string | null;
};

/** What distinguishes one client from another. */
export type HookClient = {
  /** As which client its sessions are known; by default also as whom they are booked. */
  readonly name: string;
  /** Null for an event at which nothing is asked. Throws a MeterFault for what it cannot read. */
  news(context: Context, raw: unknown): Promise<News | null>;
  /** What stops the client at this event; GO_ON where nothing would. */
  stop(raw: unknown, reason: string): HookAnswer;
};

export type HookOptions = {
  readonly agentId: string;
  /** What a person should know and the model should not. */
  readonly log: (text: string) => void;
};

/** The hook's answer to whatever came. It never throws: a gate that fails is closed, unless the policy says otherwise. */
export async function askHook(
  client: HookClient,
  context: Context,
  options: HookOptions,
  raw: unknown,
): Promise<HookAnswer> {
  try {
    const news = await client.news(context, raw);
    if (!news) return GO_ON;
    const { verdict, nearlyUsedUp } = await book(client, context, options, news);
    // After the booking: what could be read is spent.
    if (news.isDamaged) throw new MeterFault("unreadable");
    if (verdict.decision === "deny") return client.stop(raw, `astra-budget: ${verdict.message}`);
    return nearlyUsedUp.length > 0 ? tellPerson(nearlyUsedUp.map(usedText).join("; ")) : GO_ON;
  } catch (error) {
    const fault = notedFault(error, options.log);
    return context.policy.onMeterFailure === "allow" ? GO_ON : closedHook(client, raw, fault);
  }
}

/** What a gate answers that cannot say how things stand. */
export function closedHook(
  client: HookClient,
  raw: unknown,
  { message, hint } = new MeterFault("internal"),
): HookAnswer {
  return client.stop(raw, `astra-budget: ${message} ${hint}`);
}

/** A field that all these clients show to a person at every event. */
const tellPerson = (text: string): HookAnswer => ({ systemMessage: `astra-budget: ${text}.` });

function book(client: HookClient, context: Context, { agentId }: HookOptions, news: News): Promise<Metered> {
  const { sessionId, responses, files, renewal, model } = news;
  return meterUsage(context, {
    client: client.name,
    meter: "transcript",
    agentId,
    threads: [{ threadId: sessionId, parentId: null, responses }],
    files,
    asking: sessionId,
    renewal,
    underWay: [],
    starting: 0,
    model,
    telling: "now",
  });
}
