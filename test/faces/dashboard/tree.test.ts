// The spawn tree's lines: everybody once, below its parent, and arrow keys that never lead off the tree.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { linesOf, type Member, stepOf } from "../../../src/faces/dashboard/page/tree.ts";

const node = (session_id: string, parent_session_id: string | null = null): Member => ({
  session_id,
  parent_session_id,
});
const swarm = [node("lead"), node("a", "lead"), node("b", "lead"), node("a1", "a"), node("a2", "a")];
const ids = (nodes: readonly Member[], folded: readonly string[] = []) =>
  linesOf(nodes, new Set(folded)).map((line) => `${"-".repeat(line.level - 1)}${line.node.session_id}`);

describe("a spawn tree as lines", () => {
  test("each session stands below its parent, before its parent's next sibling", () => {
    expect(ids(swarm)).toEqual(["lead", "-a", "--a1", "--a2", "-b"]);
  });

  test("a folded session hides all below it, at any depth", () => {
    expect(ids(swarm, ["a"])).toEqual(["lead", "-a", "-b"]);
    expect(ids(swarm, ["lead", "a"])).toEqual(["lead"]);
  });

  test("a session whose parent was left out is a root of its own", () => {
    expect(ids([node("lead"), node("lost", "gone")])).toEqual(["lead", "lost"]);
  });

  test("a line says its place among its siblings and its parent, for screen readers and bars", () => {
    const b = linesOf(swarm, new Set()).find((line) => line.node.session_id === "b");
    expect(b).toMatchObject({ position: 2, siblings: 2, isOpen: null, parent: { session_id: "lead" } });
  });

  test("whatever the tree, everybody is there once and directly deeper than the parent", () => {
    const parents = fc.array(fc.nat(), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(parents, (above) => {
        const nodes = above.map((at, i) => node(`s${i}`, i === 0 ? null : `s${at % i}`));
        const lines = linesOf(nodes, new Set());
        expect(lines.map((line) => line.node.session_id).toSorted()).toEqual(nodes.map((n) => n.session_id).toSorted());
        const levelOf = new Map(lines.map((line) => [line.node.session_id, line.level]));
        for (const { node: each, level } of lines)
          expect(level).toBe(1 + (each.parent_session_id === null ? 0 : (levelOf.get(each.parent_session_id) ?? 0)));
      }),
    );
  });
});

describe("keys on the tree", () => {
  const lines = linesOf(swarm, new Set());

  test.each([
    ["ArrowDown", "lead", { goTo: "a" }],
    ["ArrowUp", "b", { goTo: "a2" }],
    ["ArrowUp", "lead", null],
    ["ArrowDown", "b", null],
    ["ArrowRight", "a", { goTo: "a1" }],
    ["ArrowRight", "a1", null],
    ["ArrowLeft", "a", { turn: "a" }],
    ["ArrowLeft", "a1", { goTo: "a" }],
    ["End", "lead", { goTo: "b" }],
    ["Home", "a2", { goTo: "lead" }],
    ["x", "lead", null],
  ])("%s on %s", (key, at, step) => {
    expect(stepOf(key, lines, at)).toEqual(step);
  });

  test("a folded line opens to the right, and leads to its parent to the left", () => {
    const folded = linesOf(swarm, new Set(["a"]));
    expect(stepOf("ArrowRight", folded, "a")).toEqual({ turn: "a" });
    expect(stepOf("ArrowLeft", folded, "a")).toEqual({ goTo: "lead" });
  });

  test("a line that is gone leads nowhere", () => {
    expect(stepOf("ArrowDown", lines, "gone")).toBeNull();
  });
});
