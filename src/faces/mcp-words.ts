// Faults that the SDK finds by itself, in our words: its own texts are dumps of another library's.
import type { McpServer } from "@modelcontextprotocol/server";

type Transport = Parameters<McpServer["connect"]>[0];
type Message = Parameters<Transport["send"]>[0];

const INVALID_PARAMS = -32_602;

/** The same server; what it sends over a transport from now on holds no dump. */
export function inOurWords(server: McpServer): McpServer {
  const connect = server.connect.bind(server);
  server.connect = (transport) => {
    const send = transport.send.bind(transport);
    transport.send = (message, options) => send(withoutDump(message), options);
    return connect(transport);
  };
  return server;
}

function withoutDump(message: Message): Message {
  if (!("error" in message) || !/[[{]\s*["{\n]/.test(message.error.message)) return message;
  const text = "The request's params are not what this method takes: an object of its arguments.";
  return { ...message, error: { code: INVALID_PARAMS, message: text } };
}
