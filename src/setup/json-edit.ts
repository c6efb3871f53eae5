// Adds a member to a JSON text and takes it out again: every other byte stays, and taking out undoes adding exactly.
import { type Between, type Node, tokensAfter } from "./json-text.ts";

/** A member of an object has a key, an element of an array has none. */
export type Member = { readonly key?: string; readonly value: unknown };

/** The text with one more member at the end of an object or array, laid out as its neighbours are. */
export function withMember(text: string, root: Node, container: Node, member: Member): string {
  const last = container.children?.at(-1);
  return last ? afterLast(text, root, container, last, member) : intoEmpty(text, root, container, member);
}

/** Directly after the bracket, so that whatever is inside (a space, a comment) stays behind it. */
function intoEmpty(text: string, root: Node, container: Node, member: Member): string {
  const style = styleOf(text, root);
  const at = container.offset + 1;
  if (style.isOneLine) return spliced(text, [[at, 0, rendered(member, null)]]);
  const outer = indentAt(text, container.offset);
  const inner = { ...style, indent: outer + style.unit };
  return spliced(text, [[at, 0, `${style.eol}${inner.indent}${rendered(member, inner)}${style.eol}${outer}`]]);
}

function afterLast(text: string, root: Node, container: Node, last: Node, member: Member): string {
  const lastEnd = last.offset + last.length;
  const { comma, end } = tokensAfter(text, lastEnd);
  const gap = text.slice(end, container.offset + container.length - 1);
  const style = styleOf(text, root);
  const indent = startsItsLine(text, last.offset)
    ? indentAt(text, last.offset)
    : indentAt(text, container.offset) + style.unit;
  const layout = LINE_BREAK.test(gap) ? { ...style, indent } : null;
  const item = `${layout ? style.eol + indent : ""}${rendered(member, layout)}`;
  // Where the last member has a comma after it, ours has one too: so taking it out knows which commas are ours.
  if (comma !== null) return spliced(text, [[end, 0, `${item},`]]);
  return spliced(text, [
    [lastEnd, 0, ","],
    [end, 0, item],
  ]);
}

/** The text with another value for a property, in its place. */
export function withValue(text: string, root: Node, property: Node, value: unknown): string {
  const [key, node] = property.children ?? [];
  if (!key || !node) throw new TypeError("expected a property");
  const layout = startsItsLine(text, key.offset)
    ? { ...styleOf(text, root), indent: indentAt(text, key.offset) }
    : null;
  return spliced(text, [[node.offset, node.length, rendered({ value }, layout)]]);
}

/** The text without a member of the container, nor the comma that it needed. */
export function withoutMember(text: string, root: Node, container: Node, member: Node): string {
  const siblings = container.children ?? [];
  const before = siblings[siblings.indexOf(member) - 1];
  const lead = tokensAfter(text, before ? before.offset + before.length : container.offset + 1);
  const end = member.offset + member.length;
  const { comma } = tokensAfter(text, end);
  if (comma !== null) return spliced(text, [cut(text, lead, end, comma === end ? end + 1 : end), [comma, 1, ""]]);
  if (before) return spliced(text, [[lead.comma ?? lead.end, 1, ""], cut(text, lead, end)]);
  const closing = styleOf(text, root).eol + indentAt(text, container.offset);
  return spliced(text, [cut(text, lead, text.startsWith(closing, end) ? end + closing.length : end)]);
}

/** From what stands before a member to its end; a `//` comment before it keeps a line break, if none is what follows. */
function cut(text: string, lead: Between, end: number, rest = end): Edit {
  const isEnded = !lead.endsInLineComment || /^[ \t]*[\r\n]/.test(text.slice(rest, rest + 200));
  return [lead.end, end - lead.end, isEnded ? "" : (LINE_BREAK.exec(text.slice(lead.end, end))?.[0] ?? "")];
}

const LINE_BREAK = /\r\n|\n|\r/;

type Style = { readonly eol: string; readonly unit: string; readonly isOneLine: boolean };
type Layout = Style & { readonly indent: string };

/** A document all on one line stays there. */
function styleOf(text: string, root: Node): Style {
  const inside = text.slice(root.offset, root.offset + root.length);
  const unit = /\n([ \t]+)\S/.exec(inside)?.[1] ?? "  ";
  const isOneLine = !LINE_BREAK.test(inside) && (root.children?.length ?? 0) > 0;
  return { eol: LINE_BREAK.exec(text)?.[0] ?? "\n", unit, isOneLine };
}

function rendered({ key, value }: Member, layout: Layout | null): string {
  const json = JSON.stringify(value, null, layout?.unit);
  const name = key === undefined ? "" : `${JSON.stringify(key)}:${layout ? " " : ""}`;
  return name + (layout ? json.replaceAll("\n", layout.eol + layout.indent) : json);
}

type Edit = readonly [offset: number, length: number, text: string];

/** Several edits in ascending order. */
function spliced(text: string, edits: readonly Edit[]): string {
  let result = "";
  let at = 0;
  for (const [offset, length, inserted] of edits) {
    result += text.slice(at, offset) + inserted;
    at = offset + length;
  }
  return result + text.slice(at);
}

/** The white space that the line of an offset begins with. */
function indentAt(text: string, offset: number): string {
  const line = text.lastIndexOf("\n", offset - 1) + 1;
  return /^[ \t]*/.exec(text.slice(line, offset))?.[0] ?? "";
}

function startsItsLine(text: string, offset: number): boolean {
  return /^[ \t]*$/.test(text.slice(text.lastIndexOf("\n", offset - 1) + 1, offset));
}
