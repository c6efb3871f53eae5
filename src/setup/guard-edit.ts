// Puts the guard's hooks and server into the texts of Claude Code's settings, and takes exactly those out again.
import { isDeepStrictEqual } from "node:util";
import { getNodeValue } from "jsonc-parser";
import { AstraError } from "../core/error.ts";
import {
  EVENTS,
  type GuardEvent,
  type Handlers,
  isOurHandler,
  isOurServer,
  type Launch,
  SERVER,
  serverEntry,
} from "./guard.ts";
import { withMember, withoutMember, withValue } from "./json-edit.ts";
import { jsonFault, memberValue, type Node, parseJson, propertyOf } from "./json-text.ts";

/** A text and the file it is of, which faults name. */
export type Source = { readonly text: string; readonly file: string };

/** A container and the one of its members that leads on to a handler of ours. */
type Step = readonly [container: Node, member: Node];

/** A handler of ours in the settings: its event, and the way to it from the outermost object. */
type Place = { readonly event: string; readonly handler: unknown; readonly path: readonly [Step, ...Step[]] };

/** The settings with these hooks; older ones of ours are gone. Nothing changes where all are there already. */
export function withHooks(source: Source, wanted: Handlers): string {
  const found = placesIn(source);
  const isThere = found.every(({ event, handler }) => isDeepStrictEqual(handler, wanted[event as GuardEvent]));
  const isOnce = new Set(found.map(({ event }) => event)).size === found.length;
  if (isThere && isOnce && found.length === EVENTS.length) return source.text;
  let text = withoutHooks(source);
  const groupOf = (event: GuardEvent) => ({ hooks: [wanted[event]] });
  const root = objectAt(text, source.file);
  const hooks = memberValue(root, "hooks");
  if (!hooks) {
    const all = Object.fromEntries(EVENTS.map((event) => [event, [groupOf(event)]]));
    return withMember(text, root, root, { key: "hooks", value: all });
  }
  for (const event of EVENTS) {
    const now = parseJson(text, source.file);
    const container = memberValue(now, "hooks") as Node;
    const groups = memberValue(container, event);
    text = groups
      ? withMember(text, now, groups, { value: groupOf(event) })
      : withMember(text, now, container, { key: event, value: [groupOf(event)] });
  }
  return text;
}

/** The settings without our hooks, and without the lists and objects that are empty then. */
export function withoutHooks({ text, file }: Source): string {
  const [place] = placesIn({ text, file });
  if (!place) return text;
  const [outermost] = place.path;
  // The outermost member that holds nothing but this handler goes as a whole.
  const [container, member] = place.path.findLast(([each]) => (each.children?.length ?? 0) > 1) ?? outermost;
  return withoutHooks({ text: withoutMember(text, outermost[0], container, member), file });
}

/** The file with the server's entry. Throws `conflict` where another's server has its name. */
export function withServer(source: Source, launch: Launch): string {
  const root = objectAt(source.text, source.file);
  const servers = objectIn(source, root, "mcpServers");
  const member = propertyOf(servers, SERVER);
  const older: unknown = member && dataOf(member.children?.[1] as Node);
  if (member && !isOurServer(older)) throw takenName(source, member);
  const entry = serverEntry(launch, older);
  if (isDeepStrictEqual(older, entry)) return source.text;
  if (member) return withValue(source.text, root, member, entry);
  return servers
    ? withMember(source.text, root, servers, { key: SERVER, value: entry })
    : withMember(source.text, root, root, { key: "mcpServers", value: { [SERVER]: entry } });
}

export function withoutServer(source: Source): string {
  const root = objectAt(source.text, source.file);
  const servers = objectIn(source, root, "mcpServers");
  const member = propertyOf(servers, SERVER);
  if (!servers || !member || !isOurServer(dataOf(member.children?.[1] as Node))) return source.text;
  const isAlone = servers.children?.length === 1;
  return isAlone
    ? withoutMember(source.text, root, root, propertyOf(root, "mcpServers") as Node)
    : withoutMember(source.text, root, servers, member);
}

/** Our handlers. Throws where hooks are not what Claude Code takes: adding to them would help nobody. */
function placesIn(source: Source): Place[] {
  const root = objectAt(source.text, source.file);
  const hooks = objectIn(source, root, "hooks");
  if (!hooks) return [];
  return (hooks.children ?? []).flatMap((event) => {
    const [name, groups] = event.children as [Node, Node];
    if (groups.type !== "array") throw wrongKind(source, groups, `hooks.${name.value}: expected a list`);
    return (groups.children ?? []).flatMap((group) => {
      const handlers = memberValue(group, "hooks");
      return (handlers?.children ?? []).flatMap((node): Place[] => {
        const handler = dataOf(node);
        if (!handlers || !isOurHandler(handler)) return [];
        const outermost: Step = [root, hooks.parent as Node];
        return [
          { event: String(name.value), handler, path: [outermost, [hooks, event], [groups, group], [handlers, node]] },
        ];
      });
    });
  });
}

/** Plain data: the library's objects have no prototype, and so equal none of ours. */
const dataOf = (node: Node): unknown => structuredClone(getNodeValue(node));

function objectAt(text: string, file: string): Node {
  const root = parseJson(text, file);
  if (root.type !== "object") throw wrongKind({ text, file }, root, "expected an object { … }");
  return root;
}

function objectIn(source: Source, root: Node, key: string): Node | undefined {
  const node = memberValue(root, key);
  if (node && node.type !== "object") throw wrongKind(source, node, `${key}: expected an object { … }`);
  return node;
}

const wrongKind = ({ text, file }: Source, node: Node, message: string): AstraError =>
  jsonFault(text, file, node.offset, message);

function takenName(source: Source, node: Node): AstraError {
  const { message } = wrongKind(source, node, `mcpServers.${SERVER}: another server has this name`);
  return new AstraError(
    "conflict",
    message,
    `It is not one that this command made: take it out with \`claude mcp remove ${SERVER}\`, then run this again.`,
  );
}
