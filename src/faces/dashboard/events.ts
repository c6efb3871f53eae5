// The dashboard's stream: tells open pages what changed in get_now, whichever process caused it, within a second.
import type { ServerResponse } from "node:http";
import { AstraError } from "../../core/error.ts";
import type { KnownCaller, LongLived } from "../caller.ts";
import type { Mark } from "./now-state.ts";
import { type NowWatch, watchNow } from "./now-watch.ts";

export type EventsFace = LongLived & {
  /** GET /events. Answers itself, and resolves when the stream has begun; whatever it throws, nothing was answered. */
  open(res: ServerResponse, caller: KnownCaller): Promise<void>;
  /** Ends every stream. */
  close(): Promise<void>;
};

export type EventsOptions = {
  readonly log: (text: string) => void;
  readonly bounds?: Partial<typeof BOUNDS>;
};

/** Below the minute after which proxies drop a silent stream. */
const BOUNDS = { mostStreams: 1_000, mostStreamsOfKey: 100, keepAliveMs: 15_000 };
/** For pages that show something else: that the ledger moved, at most this often. */
const CHANGED_MS = 1_000;

const HEAD = { "content-type": "text/event-stream", "x-accel-buffering": "no" };
const RETRY = "retry: 1000\n\n";
/** An event, as pages do not hear comments: they connect anew when nothing comes. */
const KEEP_ALIVE = "event: alive\ndata: {}\n\n";
const CHANGED = "event: changed\ndata: {}\n\n";

type Stream = {
  readonly caller: KnownCaller;
  readonly res: ServerResponse;
  /** Null until it has begun. */
  mark: Mark | null;
  /** The watch's moves that it knows of, and when it was told of them. */
  moves: number;
  movedAt: number;
  toldAt: number;
};

/** All streams of one workspace and role: they see the same. */
type Group = { readonly watch: NowWatch; readonly streams: Set<Stream> };

export function dashboardEvents(options: EventsOptions): EventsFace {
  const bounds = { ...BOUNDS, ...options.bounds };
  const groups = new Map<string, Group>();
  let isClosed = false;

  const all = (): Stream[] => [...groups.values()].flatMap(({ streams }) => [...streams]);

  const groupOf = ({ context, principal }: KnownCaller): [key: string, group: Group] => {
    const key = `${principal.kind} ${context.policy.workspace.id}`;
    const known = groups.get(key);
    if (known) return [key, known];
    const streams = new Set<Stream>();
    const ticked = () => {
      for (const stream of streams) if (stream.mark) tell(group.watch, stream, bounds.keepAliveMs);
    };
    // Old numbers under a sign of life would be a lie; whoever connects again is told what is the matter.
    const failed = () => {
      groups.delete(key);
      group.watch.close();
      for (const stream of streams) end(stream);
    };
    const group = { streams, watch: watchNow(context, principal, { ticked, failed }, options.log) };
    groups.set(key, group);
    return [key, group];
  };

  const open = async (res: ServerResponse, caller: KnownCaller): Promise<void> => {
    // The connection breaks: that is when a page connects again by itself.
    if (isClosed) return void res.destroy();
    const streams = all();
    const own = streams.filter((stream) => isSameKey(stream.caller, caller));
    if (streams.length >= bounds.mostStreams || own.length >= bounds.mostStreamsOfKey)
      throw new AstraError("conflict", "Too many streams are open.", "Close some pages and load this one again.");
    const [key, group] = groupOf(caller);
    const stream: Stream = { caller, res, mark: null, moves: 0, movedAt: 0, toldAt: 0 };
    const leave = () => {
      group.streams.delete(stream);
      if (group.streams.size > 0 || groups.get(key) !== group) return;
      groups.delete(key);
      group.watch.close();
    };
    group.streams.add(stream);
    res.on("close", leave);
    // Whatever breaks on the way to a page ends its stream, never the server; the page connects again.
    res.on("error", leave);
    try {
      await group.watch.ready;
    } catch (error) {
      leave();
      throw error;
    }
    // It may have left while we looked: nobody would tell us any more.
    if (isClosed || res.destroyed) leave();
    if (isClosed) res.destroy();
    else if (!res.destroyed) begin(group.watch, stream);
  };

  return {
    open,
    *callers() {
      for (const { caller } of all()) yield caller;
    },
    async drop(callerId) {
      for (const stream of all()) if (stream.caller.id === callerId) end(stream);
    },
    async close() {
      isClosed = true;
      for (const { watch } of groups.values()) watch.close();
      for (const stream of all()) end(stream);
    },
  };
}

/** A key signs in many browsers, and each is a caller of its own: together they must leave room for others. */
function isSameKey({ principal, context }: KnownCaller, other: KnownCaller): boolean {
  if (principal.kind === "agent" || other.principal.kind === "agent") return false;
  return principal.actor === other.principal.actor && context === other.context;
}

function begin(watch: NowWatch, stream: Stream): void {
  const { data, mark } = watch.state.everything();
  const now = performance.now();
  stream.res.writeHead(200, HEAD);
  stream.res.write(RETRY + nowEvent(data));
  Object.assign(stream, { mark, moves: watch.moves(), movedAt: now - CHANGED_MS, toldAt: now });
}

/** Who has not read the last message is told later, then of all that changed: nothing is kept for a slow reader. */
function tell(watch: NowWatch, stream: Stream, keepAliveMs: number): void {
  const { res, mark } = stream;
  if (!mark || res.destroyed || res.writableLength > 0) return;
  const now = performance.now();
  const news = watch.state.since(mark);
  const isMoved = watch.moves() !== stream.moves && now - stream.movedAt >= CHANGED_MS;
  const text = (news ? nowEvent(news.data) : "") + (isMoved ? CHANGED : "");
  if (news) stream.mark = news.mark;
  if (isMoved) Object.assign(stream, { moves: watch.moves(), movedAt: now });
  if (text === "" && now - stream.toldAt < keepAliveMs) return;
  stream.toldAt = now;
  res.write(text || KEEP_ALIVE);
}

/** One that does not read would never end. */
function end({ res, mark }: Stream): void {
  if (mark && res.writableLength === 0) res.end();
  else res.destroy();
}

const nowEvent = (data: string): string => `event: now\ndata: ${data}\n\n`;
