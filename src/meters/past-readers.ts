// Whose past can be read: where each coding agent keeps its sessions, which files belong together, and how they are read.
import { homedir } from "node:os";
import { join } from "node:path";
import { readClaudeConversation } from "./claude-code/past.ts";
import { claudeConversations, claudeRoot } from "./claude-code/places.ts";
import { codexConversations, readCodexConversation } from "./codex/past.ts";
import { type PastFiles, type ReadConversation, since } from "./past-file.ts";

type Environment = Readonly<Record<string, string | undefined>>;

type PastReader = {
  readonly title: string;
  /** Its own folder. */
  rootOf(env: Environment): string;
  find(root: string): readonly PastFiles[];
  /** Only files below `root`; `now`: epoch ms. */
  read(root: string, files: PastFiles, now: number): ReadConversation;
};

export const PAST_READERS = {
  "claude-code": {
    title: "Claude Code",
    rootOf: claudeRoot,
    find: claudeConversations,
    read: readClaudeConversation,
  },
  codex: {
    title: "Codex",
    rootOf: (env) => env.CODEX_HOME || join(homedir(), ".codex"),
    find: codexConversations,
    read: readCodexConversation,
  },
} satisfies Record<string, PastReader>;

export type PastClient = keyof typeof PAST_READERS;

export const isPastClient = (word: string | undefined): word is PastClient =>
  word !== undefined && Object.hasOwn(PAST_READERS, word);

export type Past = {
  readonly client: PastClient;
  readonly root: string;
  readonly conversations: readonly PastFiles[];
  /** Epoch ms: what was used before is left out. */
  readonly since: number;
  readonly now: number;
};

/** One conversation after the other; what needs to be read of it lies in memory, and nothing else does. */
export function* readPast({ client, root, conversations, since: from, now }: Past): Generator<ReadConversation> {
  for (const files of conversations) yield since(PAST_READERS[client].read(root, files, now), from);
}
