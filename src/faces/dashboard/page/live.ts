// The live stream: one connection for all pages, kept in one state, and whether it is there.
import type { Now } from "./now-state.ts";

export type LiveStatus = "connecting" | "live" | "lost";

export type Live = {
  readonly now: Partial<Now>;
  readonly status: LiveStatus;
  /** Calls back at each change until the answered function is called. `changed`: the ledger moved, look again. */
  on(event: "now" | "changed" | "status", listener: () => void): () => void;
  close(): void;
};

/** Charges kept for the feed. */
const FEED = 60;

/** After a refusal the browser does not try again by itself; we do, as often as this. */
const AGAIN_MS = 3_000;

/** `refused` is asked when the server refuses the stream: is somebody signed in still? */
export function openLive(refused: () => Promise<boolean>): Live {
  const listeners = { now: new Set<() => void>(), changed: new Set<() => void>(), status: new Set<() => void>() };
  const tell = (event: keyof typeof listeners) => {
    for (const listener of [...listeners[event]]) listener();
  };
  let now: Partial<Now> = {};
  let status: LiveStatus = "connecting";
  let timer: ReturnType<typeof setTimeout> | null = null;
  const become = (next: LiveStatus) => {
    if (next === status) return;
    status = next;
    tell("status");
  };
  const again = async () => {
    if (await refused()) source = connected();
  };
  const connected = (): EventSource => {
    const opened = new EventSource("/events");
    opened.addEventListener("now", ({ data }) => {
      const { feed, ...part } = JSON.parse(data) as Partial<Now>;
      now = { ...now, ...part, feed: joined(now.feed ?? [], feed ?? []) };
      become("live");
      tell("now");
    });
    opened.addEventListener("changed", () => tell("changed"));
    opened.addEventListener("open", () => become("live"));
    opened.addEventListener("error", () => {
      become("lost");
      if (opened.readyState === EventSource.CLOSED) timer = setTimeout(again, AGAIN_MS);
    });
    return opened;
  };
  let source = connected();
  return {
    get now() {
      return now;
    },
    get status() {
      return status;
    },
    on(event, listener) {
      listeners[event].add(listener);
      return () => listeners[event].delete(listener);
    },
    close() {
      source.close();
      if (timer !== null) clearTimeout(timer);
    },
  };
}

/** After a reconnect the server begins with charges that are here already. */
function joined(before: Now["feed"], more: Now["feed"]): Now["feed"] {
  if (more.length === 0) return before;
  const known = new Set(before.map(({ charge_id }) => charge_id));
  return [...before, ...more.filter(({ charge_id }) => !known.has(charge_id))].slice(-FEED);
}
