// A spawn tree as a list of visible lines, and where an arrow key leads on it; pure.

export type Member = { readonly session_id: string; readonly parent_session_id: string | null };

export type Line<Node extends Member> = {
  readonly node: Node;
  /** Null for a root, and for what hangs below a session that is not told. */
  readonly parent: Node | null;
  /** From 1. */
  readonly level: number;
  /** Among its siblings, from 1. */
  readonly position: number;
  readonly siblings: number;
  /** Null where nothing is below. */
  readonly isOpen: boolean | null;
};

/** Parents before children, siblings as they came; nothing below a folded one. */
export function linesOf<Node extends Member>(nodes: readonly Node[], folded: ReadonlySet<string>): Line<Node>[] {
  const roots: Node[] = [];
  const below = new Map(nodes.map(({ session_id }): [string, Node[]] => [session_id, []]));
  for (const node of nodes) (below.get(node.parent_session_id ?? "") ?? roots).push(node);
  const lines: Line<Node>[] = [];
  const add = (siblings: readonly Node[], parent: Node | null, level: number) => {
    for (const [i, node] of siblings.entries()) {
      const children = below.get(node.session_id) ?? [];
      const isOpen = children.length === 0 ? null : !folded.has(node.session_id);
      lines.push({ node, parent, level, position: i + 1, siblings: siblings.length, isOpen });
      if (isOpen) add(children, node, level + 1);
    }
  };
  add(roots, null, 1);
  return lines;
}

export type Step = { readonly goTo: string } | { readonly turn: string };

/** What a key does on a line, as ARIA's tree grids have it; null where it does nothing. */
export function stepOf<Node extends Member>(key: string, lines: readonly Line<Node>[], at: string): Step | null {
  const index = lines.findIndex(({ node }) => node.session_id === at);
  const line = lines[index];
  if (!line) return null;
  const to = (other: Line<Node> | undefined): Step | null => (other ? { goTo: other.node.session_id } : null);
  switch (key) {
    case "ArrowDown":
      return to(lines[index + 1]);
    case "ArrowUp":
      return to(lines[index - 1]);
    case "Home":
      return to(lines[0]);
    case "End":
      return to(lines.at(-1));
    case "ArrowRight":
      if (line.isOpen === null) return null;
      return line.isOpen ? to(lines[index + 1]) : { turn: at };
    case "ArrowLeft":
      if (line.isOpen) return { turn: at };
      return line.parent ? { goTo: line.parent.session_id } : null;
    default:
      return null;
  }
}
