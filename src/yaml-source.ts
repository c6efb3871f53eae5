// Reads YAML text as plain data and knows the line and column of every key and value in it.
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLMap,
} from "yaml";
import { quoted } from "./core/plain-text.ts";
import type { PlacedFault } from "./core/policy-reference.ts";
import { type LocatedFault, MAX_DEPTH, type Path, type Position, syntaxFaults, TOO_DEEP } from "./yaml-syntax.ts";

export type YamlSource = {
  /** Plain data; meaningless while `syntax` is not empty. */
  readonly value: unknown;
  /** What keeps the text from being read at all. */
  readonly syntax: readonly LocatedFault[];
  /** Keys given twice and others that plain data cannot carry. */
  readonly keys: readonly LocatedFault[];
  positionOf(place: Pick<PlacedFault, "path" | "at">): Position;
};

/** Uses of one anchor, multiplied along nested ones: many agents may share a block, a bomb may not go off. */
const MAX_ALIASES = 1_000;

export function readYaml(text: string): YamlSource {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, {
    lineCounter,
    prettyErrors: false,
    resolveKnownTags: false, // !!binary, !!set and the like are no plain data
    stringKeys: true,
    uniqueKeys: false, // the library compares every key with every other; `walk` does it in one pass
  });
  const position = (offset: number): Position => {
    const { line, col } = lineCounter.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const syntax = syntaxFaults([...document.errors, ...document.warnings], position);
  const keys: LocatedFault[] = [];
  const targets: Targets = new Map();
  if (syntax.length === 0) walk(document, position, { syntax, keys, targets });
  const value = syntax.length > 0 ? undefined : plainData(document, position, syntax);
  const indexes: Indexes = new WeakMap();
  return { value, syntax, keys, positionOf: (place) => position(offsetOf(document, place, targets, indexes)) };
}

/** The document as plain data; what cannot be expanded is added to the syntax faults. */
function plainData(document: Document, position: (offset: number) => Position, faults: LocatedFault[]): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch {
    const message = `not valid YAML here: the aliases expand to too much, expected at most ${MAX_ALIASES} uses of an anchor`;
    faults.push({ ...position(0), path: [], message });
    return undefined;
  }
}

/** What each alias stands for; the library would search the whole document for each. */
type Targets = Map<Alias, Node>;

/**
 * Adds what the library does not report: duplicate keys, `__proto__` (validators skip it in silence), aliases without
 * an anchor, hostile depth. Numbers written 007 or 0x1F become texts: as ids they would silently change.
 */
function walk(
  document: Document,
  position: (offset: number) => Position,
  faults: { readonly syntax: LocatedFault[]; readonly keys: LocatedFault[]; readonly targets: Targets },
): void {
  const anchors = new Map<string, Node>();
  const faultAt = (node: unknown, path: Path, message: string) => ({ ...position(startOf(node)), path, message });
  const visit = (node: unknown, path: Path): void => {
    if (path.length > MAX_DEPTH) {
      faults.syntax.push(faultAt(node, path.slice(0, 4), TOO_DEEP));
      return;
    }
    if (isNode(node) && !isAlias(node) && node.anchor !== undefined) anchors.set(node.anchor, node);
    if (isAlias(node)) {
      const target = anchors.get(node.source);
      const message = `found the alias ${quoted(`*${node.source}`)}, expected its anchor (&) before it`;
      if (target) faults.targets.set(node, target);
      else faults.syntax.push(faultAt(node, path, message));
    } else if (isScalar(node)) {
      if (typeof node.value === "number" && /^[-+]?0[\dxo]/.test(node.source ?? "")) node.value = node.source;
    } else if (isSeq(node)) {
      for (const [index, item] of node.items.entries()) visit(item, [...path, index]);
    } else if (isMap(node)) {
      const lines = new Map<string, number>();
      for (const pair of node.items) {
        const key = keyOf(pair);
        const inside = [...path, key];
        const line = lines.get(key);
        if (line === undefined) lines.set(key, position(startOf(pair.key)).line);
        else faults.keys.push(faultAt(pair.key, inside, `given twice, first on line ${line}, expected each key once`));
        if (key === "__proto__") {
          faults.keys.push(faultAt(pair.key, inside, "found a key that may not be used, expected another name"));
        }
        visit(pair.key, inside); // it may carry an anchor
        visit(pair.value, inside);
      }
    }
  };
  visit(document.contents, []);
}

type Indexes = WeakMap<YAMLMap, Map<string, Pair>>;

/** Where the value or key at a path is written; of what is missing, where its parent is. Follows aliases. */
function offsetOf(
  document: Document,
  place: Pick<PlacedFault, "path" | "at">,
  targets: Targets,
  indexes: Indexes,
): number {
  let node: unknown = document.contents;
  let offset = isBlank(node) ? 0 : startOf(node);
  for (const [depth, part] of place.path.entries()) {
    if (isAlias(node)) node = targets.get(node);
    if (isSeq(node)) {
      node = node.items[Number(part)];
      if (!isNode(node)) return offset;
      offset = startOf(node);
    } else if (isMap(node)) {
      const pair = indexOf(node, indexes).get(String(part));
      if (!pair) return offset;
      const wantsKey = place.at === "key" && depth === place.path.length - 1;
      offset = startOf(wantsKey || isBlank(pair.value) ? pair.key : pair.value);
      node = pair.value;
    } else return offset;
  }
  return offset;
}

function indexOf(map: YAMLMap, indexes: Indexes): Map<string, Pair> {
  const index = indexes.get(map) ?? new Map(map.items.map((pair) => [keyOf(pair), pair]));
  indexes.set(map, index);
  return index;
}

function keyOf(pair: Pair): string {
  return String(isScalar(pair.key) ? pair.key.value : pair.key);
}

function startOf(node: unknown): number {
  return (isNode(node) && node.range?.[0]) || 0;
}

/** Nothing written: `budget:` with nothing after it. Its key is the better place to point at. */
function isBlank(node: unknown): boolean {
  return !isNode(node) || (isScalar(node) && node.range?.[0] === node.range?.[1]);
}
