// The command `serve`: its options, one workspace for each policy, and a clean end.
import { readOptions, unexpectedWord, wrongArguments } from "./faces/options.ts";
import { fileOf, ledgerAt, namingFile, note, workspaceOver } from "./start.ts";

export const SERVE_HELP = `Use: astra-budget serve [--host HOST] [--port PORT] [--config FILE] [--ledger FILE] …

Serves MCP and REST over HTTP for many agents, and a dashboard for people at http://HOST:PORT/, where a key of a viewer,
an operator or an owner signs in. Stdio servers may share its ledger.

  --host HOST         where to listen (127.0.0.1)
  --port PORT         at which port (4747; 0 = any free one)
  --config FILE       the policy (ASTRA_CONFIG; else astra.yml in this folder); repeat it to serve several workspaces
  --ledger FILE       the ledger (ASTRA_LEDGER; else ledger.db in the platform's data directory)
  --rate-limit N      requests a minute for each key (ASTRA_RATE_LIMIT_RPM, OPENCLAW_RATE_LIMIT_RPM; 100); 0 = no limit
  --public-url URL    where clients reach it behind a proxy, such as https://budget.example.com
  --allowed-host NAME another name it may be called by; repeat it for more
  --trust-proxy       take a caller's address from X-Forwarded-For (for callers without a key)
  --no-sse            leave out /sse and /messages, which only old MCP clients need
  --insecure-no-auth  no keys: whoever reaches the port is the owner. Loopback only

  ASTRA_JWT_SECRET    signs tokens (HS256), at least 32 bytes; without it they end with the process
  ASTRA_JWKS_URL      public keys of an identity provider whose tokens are taken (RS256, ES256, EdDSA)
  ASTRA_JWT_ISSUER, ASTRA_JWT_AUDIENCE  what a token's iss and aud must be (astra-budget)

Keys: the first start prints an owner key. Others: astra-budget key create --help.`;

export async function serveCommand(argv: readonly string[], version: string): Promise<number> {
  const { SERVE_OPTIONS, serveSettings } = await import("./serve/settings.ts");
  const hint = "See astra-budget serve --help.";
  const { values, words } = readOptions(argv, { ...SERVE_OPTIONS, config: "list" }, hint);
  if (words[1] !== undefined) throw unexpectedWord(words[1], hint);
  const settings = serveSettings(values, process.env);
  const ledgerFile = fileOf(values);
  const ledger = ledgerAt(ledgerFile);
  const workspaces = [];
  for (const config of (values.config as readonly string[] | undefined) ?? [undefined])
    workspaces.push(await workspaceOver(ledger, config));
  const ids = workspaces.map(({ context }) => context.policy.workspace.id);
  if (new Set(ids).size < ids.length)
    throw wrongArguments(
      [{ path: "--config", message: "expected policies of different workspaces (workspace.id)" }],
      hint,
    );
  const { serve } = await import("./serve/serve.ts");
  const serving = await serve({ version, ledger, ledgerFile, workspaces, settings, log: note }).catch((error) => {
    throw namingFile(error, ledgerFile);
  });
  const leave = async () => {
    // A second signal means now.
    for (const signal of SIGNALS) process.once(signal, () => process.exit(1));
    note("stopping: requests under way are finished first.");
    await serving.close();
    process.exit(0);
  };
  for (const signal of SIGNALS) process.once(signal, leave);
  return 0;
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
