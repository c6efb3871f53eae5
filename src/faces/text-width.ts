// How many columns of a terminal a text takes, and a text cut to as many as there are.
import { shownText } from "./table.ts";

/** What East Asian fonts and emoji draw over two columns. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;
const MARK = /[\p{Mn}\p{Me}]/u;

const widthOfPoint = (point: string): number => (MARK.test(point) ? 0 : WIDE.test(point) ? 2 : 1);

export const textWidth = (text: string): number => [...text].reduce((sum, point) => sum + widthOfPoint(point), 0);

/** A stored text as a terminal may show it, at most so wide: what is too long ends in "…". */
export function shownCut(text: string, most: number): string {
  const shown = shownText(text);
  if (textWidth(shown) <= most) return shown;
  let cut = "";
  let width = 0;
  for (const point of shown) {
    width += widthOfPoint(point);
    if (width > most - 1) break;
    cut += point;
  }
  return most < 1 ? "" : `${cut}…`;
}
