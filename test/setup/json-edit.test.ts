// Adding a member to any JSON text and taking it out again: every byte as before, and nothing else changed in between.
import fc from "fast-check";
import { parse } from "jsonc-parser";
import { expect, test } from "vitest";
import { withMember, withoutMember } from "../../src/setup/json-edit.ts";
import { type Node, parseJson } from "../../src/setup/json-text.ts";
import { jsonText } from "./json-texts.ts";

/** Every object and array of a document. */
function containersOf(node: Node): Node[] {
  const inside = (node.children ?? []).flatMap(containersOf);
  return node.type === "object" || node.type === "array" ? [node, ...inside] : inside;
}

const OURS = { ours: ["a", { b: null }] };
const plain = (text: string): unknown => parse(text.replace(/^\uFEFF/, ""), [], { allowTrailingComma: true });

test("a member added anywhere and taken out again leaves every byte as it was", () => {
  fc.assert(
    fc.property(jsonText(), fc.nat(), (text, pick) => {
      const root = parseJson(text, "x.json");
      const containers = containersOf(root);
      const container = containers[pick % containers.length] as Node;
      const member = container.type === "object" ? { key: "ours", value: OURS } : { value: OURS };
      const added = withMember(text, root, container, member);
      const after = parseJson(added, "x.json");
      const same = containersOf(after)[pick % containers.length] as Node;
      expect(same.children).toHaveLength((container.children?.length ?? 0) + 1);
      expect(withoutMember(added, after, same, same.children?.at(-1) as Node)).toBe(text);
    }),
    { numRuns: 2_000 },
  );
});

test("any member taken out leaves JSON with all the others, and every comment", () => {
  fc.assert(
    fc.property(jsonText(), fc.nat(), fc.nat(), (text, pick, which) => {
      const root = parseJson(text, "x.json");
      const containers = containersOf(root).filter((each) => (each.children?.length ?? 0) > 0);
      fc.pre(containers.length > 0);
      const container = containers[pick % containers.length] as Node;
      const member = container.children?.[which % container.children.length] as Node;
      const left = withoutMember(text, root, container, member);
      const inside = text.slice(member.offset, member.offset + member.length);
      const comments = (part: string) => part.match(/\/\/ c\d+|\/\* c\d+ \*\//g) ?? [];
      expect(comments(left)).toEqual(
        comments(`${text.slice(0, member.offset)}${text.slice(member.offset + inside.length)}`),
      );
      expect(count(plain(left))).toBe(count(plain(text)) - count(plain(inside.replace(/^"k\d+"[^:]*:/, ""))));
    }),
    { numRuns: 2_000 },
  );
});

/** Values in a document, containers too. */
function count(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  return Object.values(value).reduce((sum: number, each) => sum + count(each), 1);
}

test("it is laid out as its neighbours are", () => {
  const text = '{\r\n\t"a": 1\r\n}\r\n';
  const root = parseJson(text, "x.json");
  expect(withMember(text, root, root, { key: "b", value: [1] })).toBe(
    '{\r\n\t"a": 1,\r\n\t"b": [\r\n\t\t1\r\n\t]\r\n}\r\n',
  );
  const line = '{"a":1}';
  expect(withMember(line, parseJson(line, "x"), parseJson(line, "x"), { key: "b", value: [1] })).toBe(
    '{"a":1,"b":[1]}',
  );
});

test.each([
  ['{\n  "a": 1\n  "b": 2\n}', "x.json:3:3 not valid JSON: expected a comma between the values"],
  ['\uFEFF{"a" 1}', "x.json:1:6 not valid JSON: expected a colon after the key"],
  ["", "x.json:1:1 not valid JSON: the file is empty, expected {}"],
  ['{"a": 1', "x.json:1:8 not valid JSON: expected a closing }"],
])("a file that is no JSON is named with line and column: %j", (text, message) => {
  expect(() => parseJson(text, "x.json")).toThrow(message);
});
