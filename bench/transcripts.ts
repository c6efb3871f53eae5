// Writes transcripts as Claude Code would: conversations over a season, their lines of the sizes that real ones have.
import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { randomFrom } from "../test/seeded-random.ts";

const DAY_MS = 86_400_000;
const SEASON_DAYS = 90;
const PROJECTS = 12;
const LINES_A_CONVERSATION = 200;
/** Of the responses, how many call a tool; the rest end a turn. */
const TOOL_SHARE = 0.8;
const TOOLS = ["Bash", "Read", "Edit", "Grep", "Write", "Glob", "TodoWrite", "WebFetch"];
const MODELS = ["claude-sonnet-5", "claude-sonnet-5", "claude-sonnet-5", "claude-opus-5", "claude-haiku-4-5"];
const WORDS = "the quick brown fox jumps over a lazy dog \\n\t const value = await read(file); // ".repeat(600);

export type Corpus = { readonly lines: number; readonly responses: number; readonly bytes: number };

/** `root` becomes a folder of projects. The same for the same arguments. */
export function writeTranscripts(root: string, lines: number, nowMs: number): Corpus {
  const random = randomFrom(7);
  const corpus = { lines: 0, responses: 0, bytes: 0 };
  for (let i = 0; corpus.lines < lines; i++) {
    const id = idFrom(random);
    const startedAt = nowMs - SEASON_DAYS * DAY_MS + Math.floor(random() * (SEASON_DAYS - 1) * DAY_MS);
    const conversation = new Writer(random, id, startedAt);
    const most = Math.min(lines - corpus.lines, 1 + Math.floor(-Math.log(1 - random()) * LINES_A_CONVERSATION));
    while (conversation.lines.length < most) conversation.turn();
    const text = `${conversation.lines.slice(0, most).join("\n")}\n`;
    const folder = join(root, `-home-u-project-${i % PROJECTS}`);
    mkdirSync(folder, { recursive: true });
    const file = join(folder, `${id}.jsonl`);
    writeFileSync(file, text);
    utimesSync(file, conversation.at / 1000, conversation.at / 1000);
    corpus.lines += most;
    corpus.responses += new Set(text.match(/"id":"msg_[^"]+"/g)).size;
    corpus.bytes += Buffer.byteLength(text);
  }
  return corpus;
}

class Writer {
  readonly lines: string[] = [];
  at: number;
  readonly #random: () => number;
  readonly #id: string;
  readonly #model: string;
  #cached = 15_000;

  constructor(random: () => number, id: string, startedAt: number) {
    this.#random = random;
    this.#id = id;
    this.at = startedAt;
    this.#model = MODELS[Math.floor(random() * MODELS.length)] as string;
  }

  /** What a person asks, and the answers until the model calls no more tools. */
  turn(): void {
    this.#line({
      type: "file-history-snapshot",
      messageId: idFrom(this.#random),
      snapshot: { trackedFileBackups: {} },
    });
    this.#user(this.#text(300));
    while (this.#response());
  }

  /** True if it calls a tool, so that another follows. */
  #response(): boolean {
    const callsTool = this.#random() < TOOL_SHARE;
    const blocks = [
      ...(this.#random() < 0.4 ? [{ type: "thinking", thinking: this.#text(900), signature: "A".repeat(600) }] : []),
      ...(callsTool && this.#random() < 0.5 ? [] : [{ type: "text", text: this.#text(500) }]),
      ...(callsTool ? this.#calls() : []),
    ];
    const written = Math.floor(200 + this.#random() * 3000);
    const message = {
      model: this.#model,
      id: `msg_01${idFrom(this.#random).replaceAll("-", "").slice(0, 22)}`,
      type: "message",
      role: "assistant",
      stop_reason: callsTool ? "tool_use" : "end_turn",
      stop_sequence: null,
      usage: {
        input_tokens: 3 + Math.floor(this.#random() * 10),
        cache_creation_input_tokens: written,
        cache_read_input_tokens: this.#cached,
        output_tokens: 50 + Math.floor(this.#random() * 900),
        server_tool_use: { web_search_requests: 0, web_fetch_requests: 0 },
        service_tier: "standard",
        cache_creation: { ephemeral_1h_input_tokens: written, ephemeral_5m_input_tokens: 0 },
        inference_geo: "",
        speed: "standard",
      },
    };
    this.#cached = this.#cached > 150_000 ? 15_000 : this.#cached + written;
    const requestId = `req_01${idFrom(this.#random).replaceAll("-", "").slice(0, 22)}`;
    for (const block of blocks) this.#line({ message: { ...message, content: [block] }, requestId, type: "assistant" });
    for (const block of blocks) if ("id" in block) this.#result(block.id);
    return callsTool;
  }

  #calls() {
    const count = this.#random() < 0.85 ? 1 : 3;
    return Array.from({ length: count }, () => ({
      type: "tool_use" as const,
      id: `toolu_01${idFrom(this.#random).replaceAll("-", "").slice(0, 22)}`,
      name: TOOLS[Math.floor(this.#random() * TOOLS.length)] as string,
      input: { command: this.#text(250), description: this.#text(40) },
    }));
  }

  /** Claude Code keeps a result twice: as the model gets it, and as the screen shows it. */
  #result(id: string): void {
    const output = this.#text(1500);
    this.#line({
      type: "user",
      message: { role: "user", content: [{ tool_use_id: id, type: "tool_result", content: output, is_error: false }] },
      toolUseResult: { stdout: output, stderr: "", interrupted: false, isImage: false },
    });
  }

  #user(text: string): void {
    this.#line({ type: "user", message: { role: "user", content: text }, permissionMode: "default" });
  }

  #line(parts: object): void {
    this.at += Math.floor(500 + this.#random() * 8000);
    const base = {
      parentUuid: idFrom(this.#random),
      isSidechain: false,
      userType: "external",
      cwd: "/srv/project",
      sessionId: this.#id,
      version: "2.1.330",
      gitBranch: "main",
    };
    const rest = { uuid: idFrom(this.#random), timestamp: new Date(this.at).toISOString() };
    this.lines.push(JSON.stringify({ ...base, ...parts, ...rest }));
  }

  /** Of about so many characters on average; a few are very much longer. */
  #text(mean: number): string {
    const length = Math.min(WORDS.length, Math.floor(-Math.log(1 - this.#random()) * mean));
    return WORDS.slice(0, length);
  }
}

function idFrom(random: () => number): string {
  const hex = (digits: number) =>
    Math.floor(random() * 16 ** digits)
      .toString(16)
      .padStart(digits, "0");
  return `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)}`;
}
