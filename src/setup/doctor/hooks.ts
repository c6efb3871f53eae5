// Are the guard's hooks there, one for each event, and spelt as Claude Code wants them?
import { isDeepStrictEqual } from "node:util";
import { nearest } from "../../core/nearest.ts";
import { quoted } from "../../core/plain-text.ts";
import { commandHandlers, EVENTS, type Handler, isOurHandler, type Launch, SERVER, toolHandlers } from "../guard.ts";
import { type Check, fault, ok, warning } from "./check.ts";
import { asObject, type JsonFile } from "./settings.ts";

/** How the hooks found ask the gate; `command` = what each of them starts. */
export type Asking =
  | { readonly kind: "plugin" }
  | { readonly kind: "mcp_tool" }
  | ({ readonly kind: "command" } & Launch);

type Found = { readonly file: string; readonly event: string; readonly group: Handler; readonly handler: Handler };

const NAME = "hooks";
const INSTALL = "Run `astra-budget install claude-code`.";

export function checkHooks(settings: readonly JsonFile[]): { checks: Check[]; asking: Asking | null } {
  const isPlugin = settings.some(({ data }) =>
    Object.entries(asObject(data.enabledPlugins)).some(([id, on]) => id.startsWith(`${SERVER}@`) && on === true),
  );
  const found = settings.flatMap(handlersIn);
  const ours = found.filter(({ handler }) => isOurHandler(handler));
  const faults = [
    ...settings.flatMap(switchedOff),
    ...found.filter(isMisspelt).map(misspelt),
    ...ours.flatMap(faultsOf),
    ...(isPlugin ? [] : missing(ours)),
  ];
  const asking = isPlugin ? ({ kind: "plugin" } as const) : askingOf(ours[0]?.handler);
  if (isPlugin && ours.length > 0)
    faults.push(
      warning(NAME, "the plugin and the settings both ask the gate", "Run `astra-budget uninstall claude-code`."),
    );
  const where = isPlugin ? "the plugin's" : [...new Set(ours.map(({ file }) => file))].join(", ");
  const checks = faults.length > 0 ? faults : [ok(NAME, `on ${EVENTS.join(", ")} (${where})`)];
  return { checks, asking };
}

function askingOf(handler: Handler | undefined): Asking | null {
  if (!handler) return null;
  if (handler.type !== "command") return { kind: "mcp_tool" };
  return { kind: "command", command: String(handler.command), args: [handler.args].flat().map(String) };
}

function handlersIn({ file, data }: JsonFile): Found[] {
  return Object.entries(asObject(data.hooks)).flatMap(([event, groups]) =>
    [groups]
      .flat()
      .flatMap((group) =>
        [asObject(group).hooks ?? []]
          .flat()
          .map((handler) => ({ file, event, group: asObject(group), handler: asObject(handler) })),
      ),
  );
}

function switchedOff({ file, data }: JsonFile): Check[] {
  const off = ["disableAllHooks", "allowManagedHooksOnly"].filter((key) => data[key] === true);
  return off.map((key) => fault(NAME, `${key} in ${file} switches them off`, `Take ${key} out of that file.`));
}

/** Asks a server with nearly our name, which does not exist. */
function isMisspelt({ handler }: Found): boolean {
  const { type, server } = handler;
  if (type !== "mcp_tool" || typeof server !== "string" || server === SERVER) return false;
  return nearest(server, [SERVER]) !== null;
}

function misspelt({ file, event, handler }: Found): Check {
  const text = `${event} in ${file} asks the server ${quoted(String(handler.server))}, did you mean ${SERVER}?`;
  return fault(NAME, text, "Take that hook out of the file, then run `astra-budget install claude-code`.");
}

function faultsOf({ file, event, group, handler }: Found): Check[] {
  const known = EVENTS.find((each) => each === event);
  const meant = known ? null : nearest(event, EVENTS);
  if (!known) {
    const text = `${quoted(event)} in ${file} is no event of the guard's${meant ? `, did you mean ${meant}?` : ""}`;
    return [fault(NAME, text, INSTALL)];
  }
  const launch = { command: String(handler.command), args: [handler.args].flat().map(String) };
  const wanted = (handler.type === "command" ? commandHandlers(launch) : toolHandlers(SERVER))[known];
  const wrong = [...new Set([...Object.keys(wanted), ...Object.keys(handler)])].filter((key) =>
    key === "timeout" ? !isUsableTimeout(handler.timeout) : !isDeepStrictEqual(handler[key], wanted[key]),
  );
  const narrowed = group.matcher === undefined || group.matcher === "" || group.matcher === "*" ? [] : ["matcher"];
  return [...wrong, ...narrowed].map((key) => {
    const expected = key === "timeout" ? "3 to 30 seconds" : key in wanted ? JSON.stringify(wanted[key]) : "none";
    return fault(NAME, `${event} in ${file}: ${key} is not as it should be, expected ${expected}`, INSTALL);
  });
}

/** Shorter and a slow disk stops the session; longer and a hang holds it up. */
const isUsableTimeout = (seconds: unknown): boolean => typeof seconds === "number" && seconds >= 3 && seconds <= 30;

function missing(ours: readonly Found[]): Check[] {
  const lacking = EVENTS.filter((event) => !ours.some((each) => each.event === event));
  if (lacking.length === 0) return [];
  const text = lacking.length === EVENTS.length ? "none is installed" : `none on ${lacking.join(", ")}`;
  return [fault(NAME, text, INSTALL)];
}
