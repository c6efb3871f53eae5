// One agent's side of the demo: a real MCP client over stdio, and a readable account of each tool call.
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

export type Verdict = { readonly decision: "allow" | "warn" | "deny"; readonly message: string };
export type Answer = Record<string, unknown> & { readonly verdict: Verdict };

export type Agent = {
  readonly name: string;
  /** Calls a tool and prints one line about it, unless told to be quiet. */
  call(tool: string, args: Record<string, unknown>, say?: "aloud" | "quiet"): Promise<Answer>;
  leave(): Promise<void>;
};

/** Starts `astra-budget stdio` as a child and speaks to it as the agent's client would. */
export async function startAgent(name: string, server: readonly string[]): Promise<Agent> {
  const client = new Client({ name, version: "1.0.0" }, { versionNegotiation: { mode: "auto" } });
  await client.connect(new StdioClientTransport({ command: process.execPath, args: [...server], stderr: "inherit" }));
  return {
    name,
    async call(tool, args, say = "aloud") {
      const result = await client.callTool({ name: tool, arguments: args });
      if (result.isError) throw new Error(`${tool}: ${JSON.stringify(result.content)}`);
      const answer = result.structuredContent as Answer;
      if (say === "aloud") console.log(account(name, tool, args, answer));
      return answer;
    },
    leave: () => client.close(),
  };
}

const MARK = { allow: "✓", warn: "!", deny: "✗" } as const;

/** "  research-agent  check_budget  $0.10 asked   ✓ allow  Within budget: …" */
function account(name: string, tool: string, args: Record<string, unknown>, answer: Answer): string {
  const { verdict } = answer;
  const outcome = verdict
    ? `${MARK[verdict.decision]} ${verdict.decision.padEnd(5)} ${verdict.message}`
    : summary(answer);
  return `  ${name.padEnd(15)} ${tool.padEnd(13)} ${detail(args).padEnd(30)} ${outcome}`;
}

function detail(args: Record<string, unknown>): string {
  const estimate = args.estimate as { cost_usd?: number } | undefined;
  if (estimate) return `$${estimate.cost_usd?.toFixed(2)} asked${args.hold ? ", to be held" : ""}`;
  if (args.cost_usd !== undefined)
    return `$${Number(args.cost_usd).toFixed(2)} spent${args.error ? `: ${args.error}` : ""}`;
  if (args.input_tokens !== undefined) return `${args.input_tokens} in, ${args.output_tokens} out`;
  if (args.parent_session_id !== undefined) return "as a child";
  return args.task_id === undefined ? "" : `task ${args.task_id}`;
}

function summary(answer: Record<string, unknown>): string {
  const totals = answer.totals as { tree_cost_usd: number } | undefined;
  return totals ? `ended: $${totals.tree_cost_usd} in all, ${answer.ended_children} children ended too` : "";
}
