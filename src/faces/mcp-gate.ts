// The gate as a tool: for the hooks of the client alone. No list of tools has it, so no model is offered it.
import type { McpServer, StandardSchemaWithJSON } from "@modelcontextprotocol/server";

/** Takes a hook's input and answers it; never throws. */
export type Gate = (input: unknown) => Promise<Readonly<Record<string, unknown>>>;

const GATE = "gate";

/** Whatever comes: the gate itself says what it cannot read. */
const ANYTHING: StandardSchemaWithJSON = {
  "~standard": {
    version: 1,
    vendor: "astra-budget",
    validate: (value) => ({ value }),
    jsonSchema: { input: () => ({ type: "object" }), output: () => ({ type: "object" }) },
  },
};

/** What Claude Code sends with a call that its model made; with those of its hooks it sends nothing. */
const FROM_MODEL = "claudecode/toolUseId";

/** A model that guesses the name is turned away: it could pass off its words as what the client says. */
export function offerGate(server: McpServer, gate: Gate): void {
  server.registerTool(
    GATE,
    { description: "For the client's hooks.", inputSchema: ANYTHING },
    async (input: unknown, { mcpReq }) => {
      const isFromModel = Object.hasOwn(mcpReq._meta ?? {}, FROM_MODEL);
      const text = isFromModel ? "This tool is for the client's hooks alone." : JSON.stringify(await gate(input));
      return { content: [{ type: "text" as const, text }], ...(isFromModel && { isError: true }) };
    },
  );
  const connect = server.connect.bind(server);
  server.connect = (transport) => {
    const send = transport.send.bind(transport);
    transport.send = (message, options) => {
      return send("result" in message ? { ...message, result: withoutGate(message.result) } : message, options);
    };
    return connect(transport);
  };
}

function withoutGate<Result extends Readonly<Record<string, unknown>>>(result: Result): Result {
  if (!Array.isArray(result.tools)) return result;
  return { ...result, tools: result.tools.filter((tool: { name?: unknown }) => tool.name !== GATE) };
}
