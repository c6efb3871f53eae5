// The live stream: one connection for all pages, kept in one state, and whether it is there.
import type { Now } from "./now-state.ts";

export type LiveStatus = "connecting" | "live" | "lost";

export type Live = {
  readonly now: Partial<Now>;
  readonly status: LiveStatus;
  /** The server's clock (epoch ms): this machine's may be wrong. */
  time(): number;
  /** Calls back at each change until the answered function is called. `changed`: the ledger moved, look again. */
  on(event: "now" | "changed" | "status", listener: () => void): () => void;
  close(): void;
};

/** Charges kept for the feed. */
const FEED = 60;

/** After a refusal the browser does not try again by itself; we do, as often as this. */
const AGAIN_MS = 3_000;
/** The server says something every 15 s: after this long it is not there, whatever the connection says. */
const SILENT_MS = 40_000;
const CHECK_MS = 5_000;

/** `refused` is asked when the server refuses the stream: is somebody signed in still? */
export function openLive(refused: () => Promise<boolean>): Live {
  const listeners = { now: new Set<() => void>(), changed: new Set<() => void>(), status: new Set<() => void>() };
  const tell = (event: keyof typeof listeners) => {
    for (const listener of [...listeners[event]]) listener();
  };
  let now: Partial<Now> = {};
  let status: LiveStatus = "connecting";
  let source: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | null = null;
  let heardAt = 0;
  let ahead = 0;
  let isClosed = false;
  const become = (next: LiveStatus) => {
    if (next === status) return;
    status = next;
    tell("status");
  };
  const leave = () => {
    source?.close();
    if (timer !== null) clearTimeout(timer);
  };
  const again = async () => {
    if (await refused()) connect();
  };
  /** Only for a page that is seen: a browser has six connections to a server, and more pages than that would wait. */
  const connect = () => {
    leave();
    if (isClosed || document.hidden) return;
    heardAt = Date.now();
    let isAnew = true;
    source = connection({
      heard: () => {
        heardAt = Date.now();
      },
      now: ({ feed = [], ...part }) => {
        // What moved while nobody listened, no event tells any more.
        const isMissing = isAnew && now.at !== undefined;
        now = { ...now, ...part, feed: joined(now.feed ?? [], feed, isMissing) };
        if (now.at !== undefined) ahead = Date.parse(now.at) - Date.now();
        isAnew = false;
        become("live");
        tell("now");
        if (isMissing) tell("changed");
      },
      changed: () => tell("changed"),
      open: () => {
        isAnew = true;
        become("live");
      },
      broken: (state) => {
        become("lost");
        if (state === EventSource.CLOSED) timer = setTimeout(again, AGAIN_MS);
      },
    });
  };
  // A connection that broke while this machine slept, or on the way, says nothing of it.
  const check = setInterval(() => {
    if (document.hidden || Date.now() - heardAt < SILENT_MS) return;
    become("lost");
    connect();
  }, CHECK_MS);
  document.addEventListener("visibilitychange", connect);
  connect();
  return {
    get now() {
      return now;
    },
    get status() {
      return status;
    },
    time: () => Date.now() + ahead,
    on(event, listener) {
      listeners[event].add(listener);
      return () => listeners[event].delete(listener);
    },
    close() {
      isClosed = true;
      leave();
      clearInterval(check);
      document.removeEventListener("visibilitychange", connect);
    },
  };
}

type Heard = {
  /** Whatever came. */
  heard(): void;
  now(part: Partial<Now>): void;
  changed(): void;
  open(): void;
  broken(readyState: number): void;
};

function connection({ heard, now, changed, open, broken }: Heard): EventSource {
  const opened = new EventSource("/events");
  for (const event of ["now", "changed", "alive"]) opened.addEventListener(event, heard);
  opened.addEventListener("now", ({ data }) => now(JSON.parse(data)));
  opened.addEventListener("changed", changed);
  opened.addEventListener("open", open);
  opened.addEventListener("error", () => broken(opened.readyState));
  return opened;
}

/** A stream begins with the newest charges: those that are here already are not told twice, and no gap is passed over. */
function joined(before: Now["feed"], more: Now["feed"], isMissing: boolean): Now["feed"] {
  if (more.length === 0) return before;
  const known = new Set(before.map(({ charge_id }) => charge_id));
  const fresh = more.filter(({ charge_id }) => !known.has(charge_id));
  return isMissing && fresh.length === more.length ? fresh : [...before, ...fresh].slice(-FEED);
}
