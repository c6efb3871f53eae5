// Threads of Codex as an import reads them: rollouts wherever they lie, from the start, with their faults.
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { codexConversations, readCodexConversation } from "../../../src/meters/codex/past.ts";
import { fixture } from "../fixtures.ts";
import { put, temporaryFolder } from "../temporary.ts";

describe("Codex's past", () => {
  test("is all rollouts of its own folder, archived ones too, or of any other folder", () => {
    const root = temporaryFolder();
    const names = ["sessions/2026/11/20/rollout-1.jsonl", "archived_sessions/rollout-2.jsonl"];
    for (const name of [...names, "sessions/other.jsonl", "log/rollout-3.jsonl"]) put(join(root, name), "");
    const found = (folder: string) => codexConversations(folder).flatMap(({ files }) => files.map(({ path }) => path));
    expect(found(root).sort()).toEqual(names.map((name) => join(root, name)).sort());
    expect(found(join(root, "log"))).toEqual([join(root, "log/rollout-3.jsonl")]);
    expect(found(join(root, "none"))).toEqual([]);
  });

  test("is one thread a file, read from its start though its beginning is booked, with faults by line", () => {
    const root = temporaryFolder();
    const text = fixture("codex/rollout-records.jsonl");
    const path = put(join(root, "rollout-1.jsonl"), text);
    const [files] = codexConversations(root);
    if (!files) throw new Error("there is a rollout");
    const whole = readCodexConversation(root, files);
    expect(whole.threads.map(({ threadId }) => threadId)).toEqual(["01a2b3c4-0000-7000-8000-00000000000a"]);
    expect(whole.threads[0]?.responses.length).toBeGreaterThan(1);
    expect(whole.files).toEqual([{ path, bytes: text.length }]);
    const later = { ...files, files: files.files.map((file) => ({ ...file, booked: 100 })) };
    expect(readCodexConversation(root, later)).toEqual(whole);
    put(path, `${text}{"type":"token_usage_record","payload":{}}\n`);
    const named = [{ path, line: 15, what: "no_usage" }];
    expect(readCodexConversation(root, later)).toEqual({ ...whole, files: [], faults: 1, named });
  });
});
