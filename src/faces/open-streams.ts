// The answers a face has under way: event streams let go however they end, and kept alive by one timer for all.

/** Below the minute after which proxies drop a silent stream; also how a peer that vanished is noticed. */
export const KEEP_ALIVE_MS = 25_000;
export const KEEP_ALIVE = ": keep-alive\n\n";

export type OpenStreams = {
  /** The same response; `ended` is called once, when all of it was sent or its reader is gone. */
  hold(request: Request, response: Response, ended: () => void): Response;
  /** The same for a stream that may be silent for long: comments are sent on it, and `drained` does not wait for it. */
  keep(request: Request, response: Response, ended: () => void): Response;
  /** Counts an answer as under way until the function it answers is called. */
  begin(): () => void;
  /** Resolves when nothing begun or held is under way any more, or after that time. */
  drained(patienceMs: number): Promise<void>;
  close(): void;
};

type Controller = ReadableStreamDefaultController<Uint8Array>;

export function openStreams(keepAliveMs: number): OpenStreams {
  const comment = new TextEncoder().encode(KEEP_ALIVE);
  const kept = new Set<Controller>();
  let held = 0;
  let empty = () => {};
  let timer: NodeJS.Timeout | null = null;

  const keepAlive = () => {
    // Whoever has not read the last comment needs no other.
    for (const controller of kept) if ((controller.desiredSize ?? 0) > 0) controller.enqueue(comment);
  };
  const leave = (controller: Controller) => {
    kept.delete(controller);
    if (kept.size > 0 || !timer) return;
    clearInterval(timer);
    timer = null;
  };

  const begin = () => {
    held++;
    return () => {
      if (--held === 0) empty();
    };
  };

  return {
    begin,
    hold(request, response, ended) {
      const done = begin();
      return followed(request, response, () => {
        done();
        ended();
      });
    },
    keep(request, response, ended) {
      let own: Controller | null = null;
      const over = () => {
        if (own) leave(own);
        ended();
      };
      const begun = (controller: Controller) => {
        own = controller;
        kept.add(controller);
        timer ??= setInterval(keepAlive, keepAliveMs).unref();
      };
      return followed(request, response, over, begun);
    },
    async drained(patienceMs) {
      if (held === 0) return;
      await new Promise<void>((resolve) => {
        empty = resolve;
        setTimeout(resolve, patienceMs).unref();
      });
    },
    close() {
      if (timer) clearInterval(timer);
      timer = null;
      kept.clear();
    },
  };
}

function followed(
  request: Request,
  response: Response,
  ended: () => void,
  begun: (controller: Controller) => void = () => {},
): Response {
  if (!response.body || !response.headers.get("content-type")?.startsWith("text/event-stream")) {
    ended();
    return response;
  }
  const reader = response.body.getReader();
  const { signal } = request;
  let isOver = false;
  const over = () => {
    if (isOver) return;
    isOver = true;
    signal.removeEventListener("abort", aborted);
    ended();
  };
  // A client that is gone before its answer was begun never reads it, hence never ends it either.
  const aborted = () => {
    over();
    reader.cancel().catch(() => {});
  };
  const body = new ReadableStream<Uint8Array>({
    start: begun,
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        over();
        controller.close();
      } catch (error) {
        over();
        controller.error(error);
      }
    },
    async cancel(reason) {
      over();
      await reader.cancel(reason);
    },
  });
  signal.addEventListener("abort", aborted);
  if (signal.aborted) aborted();
  return new Response(body, { status: response.status, headers: response.headers });
}
