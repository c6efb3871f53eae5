// An operation: one verb of the product, the same behind every face.
import type { z } from "zod";
import { AstraError, type Fault } from "../core/error.ts";
import type { IdKind } from "../core/id.ts";
import type { Policy } from "../core/policy.ts";
import type { PriceList } from "../core/price.ts";
import type { RandomBytes } from "../core/privacy-noise.ts";
import { windowAt } from "../core/window.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { faultsOf } from "./fault.ts";

/** All an operation needs of the world; time and ids come in here, so that no test needs a mock. */
export type Context = {
  readonly ledger: Ledger;
  /** The policy in force now: read it once per decision. */
  readonly policy: Policy;
  /** How that policy's file is now; absent where no file is used. */
  readonly policyFile?: () => PolicyFile;
  readonly prices: PriceList;
  /** Epoch ms. */
  readonly now: () => number;
  readonly newId: (kind: IdKind) => string;
  /** 256 random bits as 43 characters that fit into a header. */
  readonly newSecret: () => string;
  /** Uniform and not to be foreseen: for noise. */
  readonly randomBytes: RandomBytes;
  /** Hexadecimal. */
  readonly sha256: (text: string) => string;
  /** Told what each operation answered, for metrics. */
  readonly observe?: (operation: string, answer: unknown) => void;
};

/** The file that a policy comes from. While it is broken, the policy it last held stays in force. */
export type PolicyFile = {
  /** Without its folder. */
  readonly name: string;
  /** Epoch ms: since when what is in force is so, in this process. */
  readonly inForceSince: number;
  /** What is wrong with what is on disk, in its order; a fault of the whole file has no place. */
  readonly faults: readonly (Fault & { readonly line: number | null; readonly column: number | null })[];
  /** What the operator should know of the policy in force. */
  readonly notes: readonly string[];
};

/**
 * Who is calling. An agent with an id is pinned to it; without one it is whoever it says (local stdio). The others see
 * the whole workspace, and `actor` is how the audit names them ("terminal", a key's id, a token's subject).
 */
export type Principal =
  | {
      readonly kind: "agent";
      readonly agentId: string | null;
      /** A meter finds out what its model uses: what it reports of that itself is not added. */
      readonly isMetered?: boolean;
    }
  | { readonly kind: "viewer" | "operator" | "owner"; readonly actor: string };

/** Who may call an operation. */
const MAY = {
  anyone: ["agent", "viewer", "operator", "owner"],
  agent: ["agent", "operator", "owner"],
  viewer: ["viewer", "operator", "owner"],
  operator: ["operator", "owner"],
  owner: ["owner"],
} as const satisfies Record<string, readonly Principal["kind"][]>;

export type Access = keyof typeof MAY;

export type Operation<Input extends z.ZodType = z.ZodType, Output extends z.ZodType = z.ZodType> = {
  /** snake_case; the MCP tool's name where it is one. */
  readonly name: string;
  readonly title: string;
  /** For a model: what it does and when to call it. At most 2,048 characters. */
  readonly description: string;
  readonly input: Input;
  readonly output: Output;
  readonly access: Access;
  /** `read`: changes nothing. `write`: a repeat counts again. `idempotent`: a repeat (with its key) changes nothing. */
  readonly effect: "read" | "write" | "idempotent";
  run(context: Context, principal: Principal, input: z.output<Input>): Promise<z.input<Output>>;
};

/** Keeps an operation's own types while it is listed with the others. */
export function defineOperation<Input extends z.ZodType, Output extends z.ZodType>(
  operation: Operation<Input, Output>,
): Operation<Input, Output> {
  return operation;
}

/** Checks who calls and what they send, then runs it. Throws AstraError; over budget is an answer, not an error. */
export async function invoke<Input extends z.ZodType, Output extends z.ZodType>(
  operation: Operation<Input, Output>,
  context: Context,
  principal: Principal,
  raw: unknown,
): Promise<z.input<Output>> {
  if (!(MAY[operation.access] as readonly string[]).includes(principal.kind))
    throw forbidden(operation.name, operation.access === "agent" ? "agents and operators" : `${operation.access}s`);
  const parsed = operation.input.safeParse(raw ?? {});
  if (!parsed.success) {
    const faults = faultsOf(parsed.error, operation.input);
    throw new AstraError(
      "invalid_input",
      `${operation.name} was called with wrong arguments.`,
      "Correct the named arguments and call again.",
      faults,
    );
  }
  // One call decides by one policy, even when its file changes meanwhile.
  const fixed: Context = { ...context };
  const answer = await operation.run(fixed, principal, parsed.data);
  fixed.observe?.(operation.name, answer);
  return answer;
}

/** `what` is the operation, or the part of it, that the caller may not use. */
export function forbidden(what: string, who: string): AstraError {
  return new AstraError("forbidden", `${what} is for ${who}.`, "Ask a human who may do that.");
}

/** The caller as the audit names it, and to whom its idempotency keys belong. */
export function actorOf(principal: Principal): string {
  return principal.kind === "agent" ? `agent ${principal.agentId ?? "unknown"}` : principal.actor;
}

/** The agent a call is pinned to; null = it may name any. */
export function pinOf(principal: Principal): string | null {
  return principal.kind === "agent" ? principal.agentId : null;
}

/** The agent a call speaks for: a pinned caller may name nobody else. Null = nobody was named. */
export function callingAgent(principal: Principal, named: string | undefined): string | null {
  const pin = pinOf(principal);
  if (pin === null || named === undefined) return pin ?? named ?? null;
  // Whether that other agent exists is not the caller's to know.
  if (named !== pin)
    throw new AstraError(
      "not_found",
      "There is no such agent for this caller.",
      `Leave agent_id out, or name ${pin}: this caller acts for no other.`,
    );
  return pin;
}

/** Is a session its caller's own? A foreign one is answered like an absent one. */
export function mayTouch(principal: Principal, agentId: string): boolean {
  return (pinOf(principal) ?? agentId) === agentId;
}

export function sessionNotFound(): AstraError {
  return new AstraError(
    "session_not_found",
    "There is no such session.",
    "Use the session_id that open_session returned, or open a new session.",
  );
}

/** One wrong argument that no schema can see. */
export function invalidInput(path: string, message: string): AstraError {
  const text = path === "" ? message : `${path}: ${message}`;
  return new AstraError("invalid_input", text, "Correct the named argument and call again.", [{ path, message }]);
}

/** The local hour of an instant in the workspace's zone. */
export function hourAt(context: Context, atMs: number): string {
  return windowAt("hour", atMs, context.policy.workspace.timezone).key;
}
