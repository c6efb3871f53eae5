// One open page's stream, read as it comes.
import { onTestFinished } from "vitest";

type Json = Record<string, unknown> & { readonly feed?: readonly Json[]; readonly feed_left_out?: number };
export type Told = { readonly event: string; readonly data: Json };

export type Listening = {
  readonly response: Response;
  /** All events so far; those named `now`, merged as a page does. */
  readonly told: readonly Told[];
  now(): Json;
  /** Every charge that was shown, in order. */
  charges(): unknown[];
  /** Did the server end it? */
  isOver(): boolean;
  close(): void;
};

export async function listenTo(url: URL, headers: Record<string, string>): Promise<Listening> {
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const response = await fetch(new URL("/events", url), { headers, signal: stop.signal });
  const told: Told[] = [];
  let isOver = false;
  const read = async () => {
    let text = "";
    for await (const bytes of response.body ?? []) {
      text += Buffer.from(bytes).toString();
      const messages = text.split("\n\n");
      text = messages.pop() ?? "";
      told.push(...messages.flatMap(eventOf));
    }
  };
  const reading = response.status === 200 ? read() : Promise.resolve();
  reading
    .catch(() => {})
    .finally(() => {
      isOver = true;
    });
  const all = () => told.filter(({ event }) => event === "now").map(({ data }) => data);
  return {
    response,
    told,
    now: () => Object.assign({}, ...all()),
    charges: () => all().flatMap(({ feed }) => (feed ?? []).map(({ charge_id }) => charge_id)),
    isOver: () => isOver,
    close: () => stop.abort(),
  };
}

export function eventOf(message: string): Told[] {
  const [, event, data] = /^event: (\w+)\ndata: (.*)$/.exec(message) ?? [];
  return event === undefined ? [] : [{ event, data: JSON.parse(data ?? "") as Json }];
}
