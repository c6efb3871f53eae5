// A terminal's screen that is drawn in place: the text that stood there before is back when it closes.

const ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l";
/** Terminals that know it show the frame when it is whole; others ignore it. */
const BEGIN = "\x1b[?2026h\x1b[H";
const END = "\x1b[J\x1b[?2026l";

export type LiveScreen = { draw(lines: readonly string[]): void; close(): void };

/** Another screen, without a cursor and without wrapping, until it closes: at the latest when the process ends. */
export function liveScreen(stream: NodeJS.WriteStream): LiveScreen {
  let isOpen = true;
  const close = () => {
    if (isOpen) stream.write(LEAVE);
    isOpen = false;
    process.removeListener("exit", close);
  };
  process.once("exit", close);
  stream.write(ENTER);
  return {
    draw: (lines) => {
      // A line is erased before it is written: after one that ends in the last column, that column would be erased.
      // Whoever reads slower than we draw is shown the next frame.
      if (!isOpen || stream.writableNeedDrain) return;
      stream.write(BEGIN + lines.map((line) => `\x1b[K${line}`).join("\r\n") + END);
    },
    close,
  };
}
