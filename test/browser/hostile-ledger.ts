// A ledger full of hostile names: those that agents and people can report, and those only another program can write.
import Database from "better-sqlite3";
import { ask } from "../process/servers.ts";
import type { Dashboard } from "./room.ts";

/** Runs if any text of it ever becomes markup or script, and leaves elements that our page has none of. */
export const MARKUP = [
  `<img src=x onerror="globalThis.owned=1"><script>globalThis.owned=2</script>`,
  `"><marquee onstart=globalThis.owned=3>'</textarea></title><svg onload=globalThis.owned=4>`,
  `</script><iframe srcdoc="<script>parent.owned=5</script>"></iframe><style>*{display:none}</style>`,
  `javascript:globalThis.owned=6//\${globalThis.owned=7}{{constructor.constructor('owned=8')()}}`,
];
const FORMULAS = [`=HYPERLINK("http://evil.test/","x")`, "+1+cmd|' /C calc'!A0", `-2+3+"`, "@SUM(1;1)", "'=1"];
const SCRIPTS = ["مرحبا بالعالم שלום עולם", "👩‍👩‍👧‍👦🏴‍☠️ Z̷̢̛͓a̶͝l̴g̸o 日本語", `${"W".repeat(299)}`];
export const TEXTS = [...MARKUP, ...FORMULAS, ...SCRIPTS];

/** All that an id may be made of. */
const IDS = [
  "+1-2/cmd",
  "@SUM:A1",
  "-2+3",
  "javascript:owned/1",
  "__proto__",
  "constructor",
  "toString",
  "../../etc/passwd",
  "#/audit",
  "W".repeat(128),
  "ﷺ".repeat(40).normalize("NFC"),
  "مستخدم/אבג",
];

/** What no operation takes: direction overrides, cursor movements, texts without an end. */
const FOREIGN = `${MARKUP[0]}\u202egnp.exe\u2066\u200b\u2028\r\n\u001b[2J\u0000${"9".repeat(10_000)}`;

export const HOSTILE_POLICY = `
workspace: { id: acme, dailyCostLimitUsd: 100 }
hardCaps: { maxDuration: 3600000, maxCostCents: 1000 }
teams: [{ id: "W${"w".repeat(100)}", dailyCostLimitUsd: 5 }]
agents: [${IDS.map((id) => `{ id: ${JSON.stringify(id)}, dailyCostLimitUsd: 5, team: "W${"w".repeat(100)}" }`).join(", ")}]
`;

export async function fillWithReports({ room, agent }: Dashboard): Promise<void> {
  const client = await agent();
  let parent: string | null = null;
  for (const [i, id] of IDS.entries()) {
    const text = TEXTS[i % TEXTS.length] ?? "";
    // Two agents at one task are an incident, with their names in it.
    const own = { agent_id: id, task_id: IDS[(i + 1 - (i % 2)) % IDS.length], user_id: id, model: id, provider: id };
    const { session_id } = await ask(client, "open_session", {
      ...own,
      role: id,
      ...(parent !== null && i % 3 === 1 ? { parent_session_id: parent, agent_id: id } : {}),
    });
    const usage = { session_id, input_tokens: 10, output_tokens: 1, cost_usd: 0.01 * (i + 1) };
    await ask(client, "report_usage", { ...usage, tool: id });
    await ask(client, "report_usage", { ...usage, error: text });
    parent = session_id;
  }
  const ended = await ask(client, "open_session", { agent_id: "+1-2/cmd" });
  await ask(client, "end_session", { session_id: ended.session_id, status: "error", error: MARKUP[0] });
  await client.leave();
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString();
  await room.runAll(
    TEXTS.flatMap((text, i) => [
      ["task", "add", IDS[i] ?? `t${i}`, "--title", text.slice(0, 200)],
      ["stop", "--agent", `stopped-${i}`, `--reason=${text}`],
      ["key", "create", "--role", "viewer", `--name=${text.slice(0, 100)}`],
      ["team", "limit", `team-${i}`, "--daily", "5", `--reason=${text}`],
      [
        "grant",
        "--scope",
        "agent",
        "--id",
        IDS[i] ?? "",
        "--window",
        "day",
        "--amount",
        "1",
        "--until",
        tomorrow,
        `--reason=${text}`,
      ],
    ]),
  );
  const { incidents } = (await room.json(["incidents", "list"])) as { incidents: { incident_id: string }[] };
  await room.runAll(
    incidents.slice(0, 2).map(({ incident_id }, i) => ["incidents", "ack", incident_id, `--note=${TEXTS[i]}`]),
  );
}

/** Texts that our operations refuse, put into the file as another program might. */
export function spoil(ledgerFile: string): void {
  const db = new Database(ledgerFile);
  const columns = [
    "sessions.error",
    "sessions.task_id",
    "sessions.role",
    "sessions.model",
    "stops.reason",
    "tasks.title",
    "grants.reason",
    "incidents.message",
    "incidents.note",
    "api_keys.name",
  ];
  for (const column of columns) {
    const [table, field] = column.split(".");
    db.prepare(`update ${table} set ${field} = ?`).run(FOREIGN);
  }
  db.prepare("update sessions set agent_id = agent_id || ? where length(agent_id) % 2 = 0").run(FOREIGN);
  db.prepare("update names set name = name || ? where no % 3 = 0 and no > 0").run(FOREIGN);
  db.close();
}
