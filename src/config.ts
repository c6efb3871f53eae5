// Reads and checks astra.yml, names line and column of every fault, and notices when the file changes.
import { closeSync, fstatSync, openSync, readFileSync, statSync } from "node:fs";
import { basename } from "node:path";
import { AstraError, type Fault } from "./core/error.ts";
import type { Policy } from "./core/policy.ts";
import { checkPolicy, pathText } from "./core/policy-check.ts";
import { type ResolvedPolicy, resolvePolicy } from "./core/policy-resolve.ts";
import type { PolicyFile } from "./operations/operation.ts";
import { readYaml } from "./yaml-source.ts";
import type { LocatedFault, Position } from "./yaml-syntax.ts";

/** A fault of astra.yml. Line and column count from 1; `message` says what is wrong and what is expected. */
type PolicyFault = Fault & Position;

/** The policy in force; asking costs one stat, so ask at each decision. */
export type WatchedPolicy = {
  current(): Policy;
  /** The text it was read from. */
  text(): string;
  /** The file as it is now: it is read again only when it changed. */
  file(): PolicyFile;
};

const MAX_BYTES = 1_048_576;

/** Reads and checks the file. Throws `policy_invalid` with all faults, one line each in the message. */
export function loadPolicy(file: string): ResolvedPolicy {
  return loaded(readText(file), file);
}

function loaded(text: string, file: string): ResolvedPolicy {
  const { policy, notes } = checkPolicyText(text, file);
  return { policy, notes: [...accessNotes(file), ...notes] };
}

/** Checks the text of a policy; `name` stands before line and column of each fault. */
export function checkPolicyText(text: string, name: string): ResolvedPolicy {
  const source = readYaml(text);
  if (source.syntax.length > 0) throw policyInvalid(name, source.syntax);
  const { file, faults } = checkPolicy(source.value);
  if (file && source.keys.length === 0) return resolvePolicy(file);
  const located = faults.map((fault) => ({ ...source.positionOf(fault), path: fault.path, message: fault.message }));
  throw policyInvalid(name, [...source.keys, ...located]);
}

/**
 * Loads the file (throws as `loadPolicy` does) and loads it again whenever it changes: a valid one takes effect, a
 * broken or deleted one is reported once and the old policy stays. Each report is one text, perhaps of several lines;
 * the policy's notes are reported too. `changed` is told the text of each later policy that took effect.
 */
export function watchedPolicy(
  file: string,
  report: (text: string) => void,
  changed: (text: string) => void = () => {},
  now: () => number = Date.now,
): WatchedPolicy {
  let seen = signatureOf(file);
  let text: string | null = readText(file);
  let inForce = text;
  let { policy, notes } = loaded(text, file);
  let inForceSince = now();
  let faults: PolicyFile["faults"] = [];
  for (const note of notes) report(`${file}: ${note}`);

  const reload = () => {
    const before = text;
    text = null;
    text = readText(file);
    if (text === before) return; // touched, not changed
    const changedTo = loaded(text, file);
    // Keys, sessions and costs belong to a workspace: under another name they would be somebody else's.
    if (changedTo.policy.workspace.id !== policy.workspace.id) throw renamed(policy.workspace.id);
    ({ policy, notes } = changedTo);
    if (text !== inForce) inForceSince = now();
    inForce = text;
    faults = [];
    changed(text);
    const effect = "the changed policy is in effect for new decisions.";
    report([effect, ...notes].map((line) => `${file}: ${line}`).join("\n"));
  };

  const current = () => {
    const signature = signatureOf(file);
    if (signature === seen) return policy;
    seen = signature;
    try {
      reload();
    } catch (error) {
      if (!(error instanceof AstraError)) throw error;
      faults = error.faults.map(placed);
      report(`${file}: the changed policy is not valid; the old one stays in effect.\n${error.message}`);
    }
    return policy;
  };

  return {
    current,
    text: () => inForce,
    file() {
      current();
      return { name: basename(file), inForceSince, faults, notes };
    },
  };
}

/** What is wrong with the whole file, such as that it is gone, has no place in it. */
const placed = (fault: Fault & Partial<Position>): PolicyFile["faults"][number] => ({
  path: fault.path,
  message: fault.message,
  line: fault.line ?? null,
  column: fault.column ?? null,
});

function renamed(id: string): AstraError {
  const message = `expected ${id} as before: restart to serve another workspace`;
  return new AstraError("policy_invalid", `workspace.id: ${message}`, "Restart.", [{ path: "workspace.id", message }]);
}

/** All faults in the order of the file, each as `name:LINE:COLUMN path: what is wrong, what is expected`. */
function policyInvalid(name: string, faults: readonly LocatedFault[]): AstraError {
  const sorted: PolicyFault[] = faults
    .toSorted((a, b) => a.line - b.line || a.column - b.column)
    .map(({ line, column, path, message }) => ({ path: pathText(path), message, line, column }));
  const lines = sorted.map(
    ({ line, column, path, message }) => `${name}:${line}:${column} ${path === "" ? "" : `${path}: `}${message}`,
  );
  return new AstraError("policy_invalid", lines.join("\n"), hintFor(name), sorted);
}

function hintFor(name: string): string {
  return `Correct the file; \`astra-budget policy check ${name}\` checks it without starting anything.`;
}

/** The file's text. A pipe or device is refused before it is opened, since opening one may wait for ever. */
function readText(file: string): string {
  try {
    if (!statSync(file).isFile()) throw unreadable(file, "is not a plain file, expected a YAML file");
    const bytes = readBytes(file);
    if (bytes.length > MAX_BYTES) throw unreadable(file, "is larger than 1 MiB, expected a policy of less");
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof AstraError) throw error;
    throw unreadable(file, READ_FAULTS[codeOf(error)] ?? "cannot be read, expected a readable file");
  }
}

/** At most one byte more than a policy may have: enough to see that it is too large. */
function readBytes(file: string): Buffer {
  const descriptor = openSync(file, "r");
  try {
    return fstatSync(descriptor).size > MAX_BYTES ? Buffer.alloc(MAX_BYTES + 1) : readFileSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

const READ_FAULTS: Readonly<Record<string, string>> = {
  ENOENT: "does not exist, expected a YAML file",
  ENOTDIR: "does not exist, expected a YAML file",
  EACCES: "may not be read by this user, expected permission to read it",
  EPERM: "may not be read by this user, expected permission to read it",
  ERR_ENCODING_INVALID_ENCODED_DATA: "is not UTF-8 text, expected a YAML file saved as UTF-8",
};

function unreadable(file: string, what: string): AstraError {
  return new AstraError("policy_invalid", `${file}: the file ${what}`, hintFor(file), [{ path: "", message: what }]);
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

/** What changes when the file is edited, replaced, deleted or made unreadable. */
function signatureOf(file: string): string {
  try {
    const stat = statSync(file, { bigint: true, throwIfNoEntry: false });
    return stat ? `${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}` : "missing";
  } catch (error) {
    return codeOf(error);
  }
}

/** Limits are the operator's: a file that every user of the machine may edit is worth a word. */
function accessNotes(file: string): string[] {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (process.platform === "win32" || !stat || (stat.mode & 0o002) === 0) return [];
  return ["WARNING: every user of this machine may edit the file, and so raise any limit; chmod o-w it."];
}
