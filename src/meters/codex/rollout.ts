// One Codex rollout file, read line by line from its start: each response's usage with the model and tools before it.
import type { MeteredResponse } from "../../core/metered.ts";
import { asObject, type FaultyLine, instant, type JsonObject, type LineFault, objectOn, PLAIN } from "../json-line.ts";
import { callId, fitsAsId, modelName, toolName } from "../safe-names.ts";
import { CopiedPrefix } from "./copied-prefix.ts";
import { exclusive, responseUsage, TotalUsage, type Usage } from "./token-usage.ts";

export type RolloutLine =
  | {
      readonly kind: "response";
      readonly response: MeteredResponse;
      /** The record names another thread: a copy out of an ancestor's file, whose own account is better. */
      readonly isSidechain: boolean;
      readonly threadId: string | null;
    }
  | { readonly kind: "other" }
  | FaultyLine;

const OTHER: RolloutLine = { kind: "other" };
const fault = (what: LineFault): RolloutLine => ({ kind: "fault", what });

/** Only lines with one of these values matter; `_call"` ends the types of all items that call a tool. */
const MARKS = [`"token_usage_record"`, `"token_count"`, `"turn_context"`, `"session_meta"`, `_call"`].map((mark) =>
  Buffer.from(mark),
);

/** What runs in Codex itself without a name on the call. */
const LOCAL_SHELL = "local_shell";

/** A file cut or replaced is read from its start by a new one. */
export class Rollout {
  private readonly prefix = new CopiedPrefix();
  private readonly totals = new TotalUsage();
  private threadId: string | null = null;
  private model = "";
  private toolCalls: { readonly id: string; readonly tool: string }[] = [];
  private webSearches = 0;
  /** From the first record on, the older kind of event tells the same once more. */
  private hasRecords = false;

  read(line: Buffer): RolloutLine {
    if (!MARKS.some((mark) => line.includes(mark))) return OTHER;
    const object = objectOn(line);
    const payload = asObject(object?.payload);
    if (!object) return fault("not_json");
    if (!payload) return OTHER;
    const time = instant.safeParse(object.timestamp).data ?? null;
    const isCopy = this.prefix.holds(time);
    if (object.type === "session_meta") return this.begin(payload, time);
    if (object.type === "turn_context") return this.turn(payload);
    if (object.type === "response_item") return isCopy ? OTHER : this.item(payload);
    if (object.type === "token_usage_record") return this.record(payload, time);
    if (object.type !== "event_msg" || payload.type !== "token_count") return OTHER;
    return this.counted(payload, time, isCopy);
  }

  /** The first line of this kind is the file's own; more of them are copied with an ancestor's history. */
  private begin(payload: JsonObject, time: number | null): RolloutLine {
    if (this.threadId !== null || typeof payload.id !== "string" || !fitsAsId(payload.id)) return OTHER;
    this.threadId = payload.id;
    this.prefix.begin(payload, time);
    return OTHER;
  }

  private turn(payload: JsonObject): RolloutLine {
    if (typeof payload.model === "string") this.model = payload.model;
    this.toolCalls = [];
    this.webSearches = 0;
    return OTHER;
  }

  /** What a response asked for stands before its usage. */
  private item(payload: JsonObject): RolloutLine {
    const { type, call_id, name, action } = payload;
    if (type === "web_search_call" && asObject(action)?.type === "search") this.webSearches += 1;
    if (typeof call_id !== "string") return OTHER;
    if (type === "function_call" || type === "custom_tool_call")
      this.toolCalls.push({ id: callId(call_id), tool: toolName(typeof name === "string" ? name : "") });
    if (type === "local_shell_call") this.toolCalls.push({ id: callId(call_id), tool: LOCAL_SHELL });
    return OTHER;
  }

  private record(payload: JsonObject, time: number | null): RolloutLine {
    this.hasRecords = true;
    if (!payload.usage) return fault("no_usage");
    if (typeof payload.response_id !== "string" || !fitsAsId(payload.response_id)) return fault("bad_id");
    const usage = responseUsage(payload.usage);
    if (!usage) return fault("bad_usage");
    const owner = typeof payload.thread_id === "string" ? payload.thread_id : this.threadId;
    return this.response(payload.response_id, usage, time, owner);
  }

  /** Older versions tell the thread's total after each response, sometimes twice, and no id: the total makes one. */
  private counted(payload: JsonObject, time: number | null, isCopy: boolean): RolloutLine {
    const info = asObject(payload.info);
    if (this.hasRecords || !info) return OTHER;
    const step = this.totals.next(info);
    if (step === null) return fault("bad_usage");
    if (isCopy || step.usage === null) return OTHER;
    const id = `${this.threadId}:${step.total.input}-${step.total.output}`;
    if (this.threadId === null || !fitsAsId(id)) return fault("bad_id");
    return this.response(id, step.usage, time, this.threadId);
  }

  private response(responseId: string, usage: Usage, occurredAt: number | null, owner: string | null): RolloutLine {
    if (occurredAt === null) return fault("bad_time");
    const { toolCalls, webSearches } = this;
    this.toolCalls = [];
    this.webSearches = 0;
    const model = modelName(this.model);
    const response = { ...PLAIN, responseId, model, occurredAt, ...exclusive(usage), webSearches, toolCalls };
    return { kind: "response", response, isSidechain: owner !== this.threadId, threadId: this.threadId };
  }
}
