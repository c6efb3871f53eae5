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

/** A model that calls it all the same learns what its own hooks would be told, and changes nothing else. */
export function offerGate(server: McpServer, gate: Gate): void {
  server.registerTool(
    GATE,
    { description: "For the client's hooks.", inputSchema: ANYTHING },
    async (input: unknown) => ({ content: [{ type: "text" as const, text: JSON.stringify(await gate(input)) }] }),
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
