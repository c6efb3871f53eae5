// A change as people read it: the lines that go and come, with a little of what stands around them.

/** Lines shown around a change. */
const AROUND = 2;

/** Lines of `before` with "-", of `after` with "+", unchanged neighbours with a space; empty where nothing changes. */
export function lineDiff(before: string, after: string): string[] {
  const [old, now] = [linesOf(before), linesOf(after)];
  const start = commonStart(old, now);
  const end = commonEnd(old, now, start);
  const middle = diff(old.slice(start, old.length - end), now.slice(start, now.length - end));
  const all = [...old.slice(0, start).map(same), ...middle, ...old.slice(old.length - end).map(same)];
  const isShown = all.map((_, i) => all.slice(Math.max(0, i - AROUND), i + AROUND + 1).some(isChange));
  const last = isShown.lastIndexOf(true);
  return all.flatMap((line, i) => {
    if (isShown[i]) return [line];
    return isShown[i - 1] && i < last ? [" …"] : [];
  });
}

const same = (line: string): string => ` ${line}`;
const isChange = (line: string): boolean => !line.startsWith(" ");
const linesOf = (text: string): string[] => (text === "" ? [] : text.replace(/\r?\n$/, "").split(/\r?\n/));

function commonStart(a: readonly string[], b: readonly string[]): number {
  let i = 0;
  while (i < Math.min(a.length, b.length) && a[i] === b[i]) i++;
  return i;
}

function commonEnd(a: readonly string[], b: readonly string[], start: number): number {
  let i = 0;
  while (i < Math.min(a.length, b.length) - start && a[a.length - 1 - i] === b[b.length - 1 - i]) i++;
  return i;
}

/** By the longest common subsequence: what lies between the first and the last change is some hundred lines. */
function diff(a: readonly string[], b: readonly string[]): string[] {
  const length = a.map(() => new Array<number>(b.length + 1).fill(0));
  length.push(new Array<number>(b.length + 1).fill(0));
  const at = (i: number, j: number): number => length[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      (length[i] as number[])[j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const lines: string[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && a[i] === b[j]) {
      lines.push(same(a[i] ?? ""));
      i++;
      j++;
    } else if (i < a.length && (j === b.length || at(i + 1, j) >= at(i, j + 1))) lines.push(`-${a[i++]}`);
    else lines.push(`+${b[j++]}`);
  }
  return lines;
}
