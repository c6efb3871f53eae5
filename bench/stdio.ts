// Calls over stdio: check_budget and report_usage against a no-op tool of the same SDK, one caller, one after the other.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { alone, BARE_SERVER, CLI, ensureBuilt, inFolder, median, POLICY, type Row, sideBySide } from "./measure.ts";

const ROUNDS = 40;
const PER_ROUND = 60;
const WARM_UP = 12;

type Call = () => Promise<unknown>;

/** The protocol's revisions differ in what each call carries, so in what a no-op costs: both are measured. */
type Era = "2026-07-28" | "2025-11-25";

export async function stdio(): Promise<Row[]> {
  ensureBuilt();
  return [...(await stdioIn("2026-07-28")), ...(await stdioIn("2025-11-25"))];
}

async function stdioIn(era: Era): Promise<Row[]> {
  return await inFolder(async (folder) => {
    const connect = (args: readonly string[]) => connectIn(era, args);
    const ours = await connect([CLI, "stdio", "--config", POLICY, "--ledger", join(folder, "ledger.db")]);
    const bare = await connect([BARE_SERVER]);
    const { session_id } = (await call(ours, "open_session", SESSION)).structuredContent as { session_id: string };
    const check = async () => await call(ours, "check_budget", { session_id, estimate: ESTIMATE });
    let sent = 0;
    const report = async () =>
      await call(ours, "report_usage", { session_id, ...USED, idempotency_key: `key-${sent++}` });
    // The same no-op, only that it answers as much as the tool beside it.
    const echo = async (name: string, answer: unknown) => {
      const file = join(folder, `${name}.json`);
      writeFileSync(file, JSON.stringify(answer));
      return await connect([BARE_SERVER, file]);
    };
    const asCheck = await echo("check", await check());
    const asReport = await echo("report", await report());

    const rounds = await timed({
      noop: async () => await call(bare, "noop", {}),
      check,
      report,
      asCheck: async () => await call(asCheck, "noop", {}),
      asReport: async () => await call(asReport, "noop", {}),
    });
    await Promise.all([ours, bare, asCheck, asReport].map((client) => client.close()));
    const { noop } = rounds;
    const unit = "us";
    return [
      {
        measure: `check_budget over stdio (p50), ${era}, against a no-op`,
        ...sideBySide(rounds.check, noop),
        unit,
        target: { most: 1.6 },
      },
      {
        measure: "  against a no-op that answers as much",
        ...sideBySide(rounds.check, rounds.asCheck),
        unit,
        target: null,
      },
      {
        measure: `report_usage over stdio (p50), ${era}, against a no-op`,
        ...sideBySide(rounds.report, noop),
        unit,
        target: { most: 4 },
      },
      {
        measure: "  against a no-op that answers as much",
        ...sideBySide(rounds.report, rounds.asReport),
        unit,
        target: null,
      },
    ];
  });
}

const SESSION = { agent_id: "lead-agent", task_id: "fix-typo", user_id: "somebody", model: "claude-haiku-4-5" };
const ESTIMATE = { input_tokens: 1000, output_tokens: 100 };
const USED = { input_tokens: 20, output_tokens: 5 };

async function connectIn(era: Era, args: readonly string[]): Promise<Client> {
  const mode = era === "2026-07-28" ? { pin: era } : ("legacy" as const);
  const client = new Client({ name: "bench", version: "1.0.0" }, { versionNegotiation: { mode } });
  await client.connect(new StdioClientTransport({ command: process.execPath, args: [...args], stderr: "inherit" }));
  await client.listTools(); // as clients do; from here on they hold our answers against the schema
  return client;
}

async function call(client: Client, name: string, args: Record<string, unknown>) {
  const answer = await client.callTool({ name, arguments: args });
  if (answer.isError) throw new Error(JSON.stringify(answer.content));
  return answer;
}

/** Each call's p50s in microseconds, one a round; they take turns, so that what else the machine does hits all alike. */
async function timed<Name extends string>(calls: Record<Name, Call>): Promise<Record<Name, number[]>> {
  const entries = Object.entries(calls) as [Name, Call][];
  const rounds = Object.fromEntries(entries.map(([name]) => [name, []])) as unknown as Record<Name, number[]>;
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    for (const [name, run] of entries) {
      const times: number[] = [];
      for (let i = 0; i < PER_ROUND; i++) {
        const from = performance.now();
        await run();
        times.push((performance.now() - from) * 1000);
      }
      if (round >= 0) rounds[name].push(median(times));
    }
  }
  return rounds;
}

await alone(import.meta.main, stdio);
