// A server on standard input and output for tests of the face alone: `node stdio-server.ts LEDGER [AGENT]`.
import { contextOver } from "../../src/context.ts";
import { BUILT_IN_POLICY } from "../../src/core/policy-resolve.ts";
import { mcpOverStdio } from "../../src/faces/mcp-stdio.ts";
import { openSqlite } from "../../src/ledger/sqlite.ts";

const [, , file = "", agentId = null] = process.argv;
const log = (text: string) => process.stderr.write(`${text}\n`);
mcpOverStdio(
  { context: contextOver(await openSqlite(file), () => BUILT_IN_POLICY), principal: { kind: "agent", agentId } },
  { version: "1.0.0", log, onerror: (error) => log(error.message) },
);
