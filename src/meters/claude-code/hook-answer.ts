// What a hook of Claude Code answers: the forms that really stop it, each measured.
import { GO_ON, type HookAnswer } from "../hook-answer.ts";
import type { HookEvent } from "./hook-input.ts";

/** Stops the run. A denied tool alone would not: the model would only try the next. */
export function stopRun(event: HookEvent, reason: string): HookAnswer {
  switch (event) {
    case "UserPromptSubmit":
      return {
        decision: "block",
        reason,
        hookSpecificOutput: { hookEventName: event, suppressOriginalPrompt: true },
      };
    case "PreToolUse":
      return { continue: false, stopReason: reason, ...denyTool(reason) };
    case "PostToolBatch":
      return { continue: false, stopReason: reason };
    // Whatever these answer makes the agent go on, and it has stopped by itself.
    case "SubagentStart":
    case "SubagentStop":
    case "Stop":
      return GO_ON;
  }
}

/** Whether an answer to the event can stop anything. */
export const canStop = (event: HookEvent): boolean => stopRun(event, "") !== GO_ON;

/** Denies the one tool; the run goes on. */
export function denyTool(reason: string): HookAnswer {
  return {
    hookSpecificOutput: {
      hookEventName: "PreToolUse",
      permissionDecision: "deny",
      permissionDecisionReason: reason,
    },
  };
}

/** Text for the model: it is in the conversation from then on, so it is short and said once. */
export function tellModel(event: HookEvent, text: string): HookAnswer {
  return { hookSpecificOutput: { hookEventName: event, additionalContext: text } };
}
