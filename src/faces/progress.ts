// Progress on standard error, for a person who waits: nothing when it is quick or nobody looks.

/** Quicker than this nobody asks how far it is. */
const QUIET_MS = 1_000;
const EVERY_MS = 200;

export type Progress = { tell(text: string): void; end(): void };

export function progressOn(stream: NodeJS.WriteStream, now: () => number = Date.now): Progress {
  const start = now();
  let told = start + QUIET_MS - EVERY_MS;
  let isShown = false;
  return {
    tell: (text) => {
      if (!stream.isTTY || now() - told < EVERY_MS) return;
      told = now();
      isShown = true;
      stream.write(`\r\x1b[K${text}`);
    },
    end: () => {
      if (isShown) stream.write("\r\x1b[K");
    },
  };
}
