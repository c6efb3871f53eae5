// A past thread of Codex: what its rollout file tells, always from the start, since each line counts by those before it.
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { type Collected, collect } from "../collected.ts";
import { lastWritten, type PastFiles, type ReadConversation, readPastFile } from "../past-file.ts";
import { sessionFiles } from "../session-files.ts";
import { Rollout } from "./rollout.ts";

const ROLLOUT_FILE = /^rollout-.+\.jsonl$/;
/** Of Codex's own folder; in any other, rollouts may lie anywhere. */
const FOLDERS = ["sessions", "archived_sessions"];

/** All rollouts in Codex's folder or another, the one that was written to last at the end: forks repeat older ones. */
export function codexConversations(root: string): readonly PastFiles[] {
  const own = FOLDERS.map((folder) => join(root, folder)).filter((folder) => existsSync(folder));
  return (own.length > 0 ? own : [root])
    .flatMap((folder) => [...sessionFiles(folder)])
    .filter(({ path }) => ROLLOUT_FILE.test(basename(path)))
    .map((file) => ({ sessionId: null, files: [{ ...file, agentId: null, booked: 0 }] }))
    .sort((a, b) => lastWritten(a) - lastWritten(b));
}

/** A rollout is one thread. With faults it is not marked as booked: a later version may know its lines. */
export function readCodexConversation(root: string, { files }: PastFiles): ReadConversation {
  const [{ path } = { path: "" }] = files;
  const collected: Collected = new Map();
  const rollout = new Rollout();
  let threadId = "";
  const { end, faults, named } = readPastFile(root, path, 0, (line) => {
    const found = rollout.read(line);
    if (found.kind === "fault") return found.what;
    if (found.kind !== "response") return null;
    threadId = found.threadId ?? "";
    collect(collected, found);
    return null;
  });
  return {
    threads: [{ threadId, parentId: null, responses: [...collected.values()].map(({ response }) => response) }],
    files: faults === 0 ? [{ path, bytes: end }] : [],
    faults,
    named,
  };
}
