// Which lines at the start of a forked rollout are a copy of its parent's history, whose usage the parent's file tells.
import { asObject, instant, type JsonObject } from "../json-line.ts";

/** A copy is written in one go; between the fork and the end of the child's first response more time passes. */
const BURST_GAP_MS = 1000;

/**
 * Copies keep the times of their originals, before the fork, or get the time at which they were copied: they follow
 * each other without a pause. The first line after a pause is the thread's own, and so are all that follow.
 */
export class CopiedPrefix {
  /** Of the fork and the copied lines so far; null outside a copy. */
  private latest: number | null = null;

  /** With the file's own first line, which says whether the thread has a parent. */
  begin(meta: JsonObject, time: number | null): void {
    const spawned = asObject(asObject(asObject(meta.source)?.subagent)?.thread_spawn);
    const parent = meta.forked_from_id ?? meta.parent_thread_id ?? spawned?.parent_thread_id;
    if (typeof parent !== "string") return;
    this.latest = time ?? instant.safeParse(meta.timestamp).data ?? null;
  }

  /** Whether a line of this time belongs to the copy. */
  holds(time: number | null): boolean {
    if (this.latest === null || time === null) return false;
    if (time - this.latest >= BURST_GAP_MS) {
      this.latest = null;
      return false;
    }
    this.latest = Math.max(this.latest, time);
    return true;
  }
}
