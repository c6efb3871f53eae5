// export and import as an operator uses them: files for others, files of others, and every fault with its line.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { csvRows } from "../../src/faces/csv.ts";
import { type Agent, modern } from "./clients.ts";
import { newRoom, type Room } from "./room.ts";

const POLICY = `
workspace: { id: acme, timezone: Europe/Berlin }
teams: [{ id: research }]
agents: [{ id: ada, team: research, provider: anthropic, budget: { maxSpawnDepth: 2 } }, { id: "-bob" }]
`;

/** A room where ada and a child of hers with a dangerous name have spent $1.25 on a model and two tools. */
async function usedRoom(): Promise<{ room: Room; agent: Agent; ada: string }> {
  const room = newRoom(POLICY);
  const agent = await modern(room);
  const opened = async (args: object) => (await agent.call("open_session", { ...args })).data.session_id as string;
  const ada = await opened({ agent_id: "ada", task_id: "fix", user_id: "+49", model: "claude-sonnet-4-20250514" });
  const bob = await opened({ agent_id: "-bob", parent_session_id: ada });
  const tool_calls = [
    { tool: "web", count: 2, cost_usd: 0.25 },
    { tool: "@shell", cost_usd: 0.000000001 },
  ];
  const error = '=HYPERLINK("http://x"),\n"two; lines"';
  const usage = { session_id: ada, input_tokens: 1000, output_tokens: 200 };
  await agent.call("report_usage", { ...usage, cost_usd: 0.5, tool_calls, error });
  await agent.call("report_usage", { session_id: bob, input_tokens: 1, output_tokens: 0, cost_usd: 0.499999999 });
  await agent.call("report_usage", { session_id: bob, input_tokens: 0, output_tokens: 0, tool: "image", cost_usd: 0 });
  return { room, agent, ada };
}

async function csvOf(text: string): Promise<Record<string, string | null>[]> {
  const rows = [];
  for await (const { cells } of csvRows([text] as unknown as AsyncIterable<string>)) rows.push(cells);
  const [head = [], ...rest] = rows;
  return rest.map((cells) => Object.fromEntries(head.map((column, i) => [column ?? "", cells[i] ?? null])));
}

describe("export", () => {
  test("writes every charge to standard output, in either format, with nothing else beside", async () => {
    const { room, ada } = await usedRoom();
    const csv = await room.run(["export", "--format", "csv"]);
    expect([csv.code, csv.stderr]).toEqual([0, ""]);
    expect(csv.stdout).toMatch(/^charge_id,session_id,.*,corrects\r\n/);
    const rows = await csvOf(csv.stdout);
    expect(rows.map((row) => row.cost_usd)).toEqual(["0.750000001", "0.499999999", "0"]);
    expect(rows[0]).toMatchObject({
      session_id: ada,
      user_id: "'+49",
      late: "false",
      hold_id: null,
      input_tokens: "1000",
    });
    expect(rows[1]).toMatchObject({ agent_id: "'-bob", parent_session_id: ada, root_session_id: ada });

    const jsonl = await room.run(["export", "--format=jsonl", "--agent", "ada"]);
    const [line = "", ...none] = jsonl.stdout.trimEnd().split("\n");
    expect(none).toEqual([]);
    expect(JSON.parse(line)).toMatchObject({
      user_id: "+49",
      cost_usd: "0.750000001",
      tools: [
        { tool: "@shell", calls: 1, cost_usd: "0.000000001" },
        { tool: "web", calls: 2, cost_usd: "0.25" },
      ],
      error: '=HYPERLINK("http://x"),\n"two; lines"',
    });
  });

  test("no cell of it is a formula, whatever agents call themselves or write", async () => {
    const { room } = await usedRoom();
    for (const more of [[], ["--focus"]]) {
      const rows = await csvOf((await room.run(["export", "--format", "csv", ...more])).stdout);
      expect(rows.length).toBeGreaterThanOrEqual(3);
      for (const row of rows)
        for (const [column, cell] of Object.entries(row)) expect(cell ?? "", column).not.toMatch(/^[=+\-@\t\r]/);
    }
    const costs = await room.run(["costs", "--csv", "--by", "user"]);
    expect(costs.stdout).toContain("agent,'-bob,0.499999999\r\n");
    expect(costs.stdout).toContain("user,'+49,1.25\r\n");
  });

  test("takes the filters of costs, and everything there is without them", async () => {
    const { room, ada } = await usedRoom();
    const count = async (...args: string[]) =>
      (await csvOf((await room.run(["export", "--format", "csv", ...args])).stdout)).length;
    expect(await count()).toBe(3);
    expect(await count("--session", ada)).toBe(1);
    expect(await count("--agent=-bob")).toBe(2);
    expect(await count("--tool", "web")).toBe(1);
    expect(await count("--model", "claude-sonnet-4-20250514")).toBe(1);
    expect(await count("--to", "2020-01-01")).toBe(0);
  });

  test("writes a new file for its owner only, never over an old one, and leaves none behind that is not whole", async () => {
    const { room } = await usedRoom();
    const file = join(room.folder, "charges.csv");
    const first = await room.run(["export", "--format", "csv", "--out", file]);
    expect(first).toEqual({ code: 0, stdout: `Exported 3 charges to ${file}.\n`, stderr: "" });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const text = readFileSync(file, "utf8");
    expect(text).toBe((await room.run(["export", "--format", "csv"])).stdout);

    const again = await room.run(["export", "--format", "jsonl", "--out", file]);
    expect([again.code, again.stderr]).toEqual([
      2,
      "invalid_input: wrong arguments\n  --out: expected a file that does not exist yet: nothing is overwritten\nSee astra-budget export --help.\n",
    ]);
    expect(readFileSync(file, "utf8")).toBe(text);
    const nowhere = await room.run(["export", "--format", "csv", "--out", join(room.folder, "no", "x.csv")]);
    expect([nowhere.code, nowhere.stderr]).toEqual([2, expect.stringContaining("--out: expected a file in a folder")]);
    const wrong = await room.run([
      "export",
      "--format",
      "csv",
      "--out",
      join(room.folder, "y.csv"),
      "--session",
      "ses_none",
    ]);
    expect(wrong.code).toBe(4);
    expect(existsSync(join(room.folder, "y.csv"))).toBe(false);
    const json = await room.json(["export", "--format", "csv", "--out", join(room.folder, "z.csv")]);
    expect(json).toEqual({ file: join(room.folder, "z.csv"), charges: 3 });
    const mixed = await room.run(["export", "--format", "csv", "--json"]);
    expect([mixed.code, mixed.stdout, mixed.stderr]).toEqual([2, "", expect.stringContaining("expected with --out")]);
  });

  test("with --focus sums to the same, charge for charge and tool for tool, under FOCUS's names", async () => {
    const { room, ada } = await usedRoom();
    const { stdout } = await room.run(["export", "--format", "jsonl", "--focus"]);
    const rows = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(
      rows.map(({ ServiceName, SkuId, BilledCost, ConsumedQuantity, ConsumedUnit }) => [
        ServiceName,
        SkuId,
        BilledCost,
        ConsumedQuantity,
        ConsumedUnit,
      ]),
    ).toEqual([
      ["anthropic", "claude-sonnet-4-20250514", 0.5, 1200, "Tokens"],
      ["@shell", "@shell", 1e-9, 1, "Requests"],
      ["web", "web", 0.25, 2, "Requests"],
      ["unknown", "unknown", 0.499999999, 1, "Tokens"],
      ["image", "image", 0, 1, "Requests"],
    ]);
    expect(stdout).toContain('"BilledCost":0.000000001,');
    const [row = {}] = rows;
    expect(row).toMatchObject({
      BillingAccountId: "acme",
      BillingCurrency: "USD",
      ChargeCategory: "Usage",
      ChargeClass: null,
      ChargeFrequency: "Usage-Based",
      ProviderName: "anthropic",
      PublisherName: "anthropic",
      InvoiceIssuerName: "anthropic",
      EffectiveCost: 0.5,
      ContractedCost: 0.5,
      ListCost: 0.006,
      SubAccountId: "research",
      ResourceId: "ada",
      Tags: '{"task":"fix","user":"+49"}',
      x_SessionId: ada,
      x_InputTokens: 1000,
    });
    for (const [start, end] of [
      ["BillingPeriodStart", "BillingPeriodEnd"],
      ["ChargePeriodStart", "ChargePeriodEnd"],
    ] as const) {
      for (const column of [start, end]) expect(row[column]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      const now = new Date().toISOString();
      expect(String(row[start]) <= now && String(row[end]) >= now.slice(0, 13)).toBe(true);
    }
    const columns = Object.keys(row);
    expect(columns.filter((column) => !column.startsWith("x_"))).toEqual(
      columns.filter((column) => !column.startsWith("x_")).sort(),
    );
    const csv = await room.run(["export", "--format", "csv", "--focus"]);
    expect(csv.stdout.split("\r\n")[0]).toBe(columns.join(","));
    expect(await csvOf(csv.stdout)).toHaveLength(5);
  });

  test("does not take a misspelt name for an empty ledger", async () => {
    const { code, stderr } = await newRoom().run(["export", "--format", "csv", "--ledger", "ledgr.db"]);
    expect([code, stderr]).toEqual([5, expect.stringContaining("There is no ledger: ")]);
  });
});

describe("import", () => {
  test.each(["csv", "jsonl"])(
    "takes the %s of an export into another ledger, once, and says what it did",
    async (format) => {
      const { room } = await usedRoom();
      const file = join(room.folder, `charges.${format}`);
      await room.run(["export", "--format", format, "--out", file]);
      expect(await room.run(["import", file])).toEqual({
        code: 0,
        stdout: "Imported 0 charges and 0 new sessions; 3 charges known already.\n",
        stderr: "",
      });
      const there = ["--ledger", join(room.folder, "other.db")];
      const dry = await room.run(["import", file, "--dry-run", ...there]);
      expect(dry.stdout).toBe("Would import 3 charges; 0 charges known already. Nothing was written.\n");
      const first = await room.run(["import", file, ...there]);
      expect(first.stdout).toBe("Imported 3 charges and 2 new sessions; 0 charges known already.\n");
      expect(await room.json(["import", file, ...there])).toEqual({
        file,
        dry_run: false,
        imported: 0,
        known: 3,
        sessions: 0,
      });

      const by = ["--by", "model,team,task,user,role,day", "--limit", "0"];
      const [here, other] = [await room.json(["costs", ...by]), await room.json(["costs", ...by, ...there])];
      expect({ ...other, forecast: null }).toEqual({ ...here, forecast: null });
      expect(other).toMatchObject({ total_cost_usd: 1.25, charges: 3 });
      expect((await room.run(["ledger", "verify", ...there])).code).toBe(0);
      expect((await room.run(["audit", ...there])).stdout).toMatch(/terminal +import_charges +workspace acme/);
    },
  );

  test("two imports of one file at the same time book each charge once between them", async () => {
    const { room } = await usedRoom();
    const file = join(room.folder, "charges.csv");
    await room.run(["export", "--format", "csv", "--out", file]);
    const there = ["--ledger", join(room.folder, "other.db")];
    const both = await Promise.all([room.json(["import", file, ...there]), room.json(["import", file, ...there])]);
    expect(both.map(({ imported }) => Number(imported)).sort()).toEqual([0, 3]);
    expect((await room.json(["costs", ...there])).charges).toBe(3);
    expect((await room.run(["ledger", "verify", ...there])).code).toBe(0);
  });

  test("a faulty line stops it: it is named with its column, nothing of its batch is booked, and mending is enough", async () => {
    const { room } = await usedRoom();
    const text = (await room.run(["export", "--format", "csv"])).stdout;
    const there = ["--ledger", join(room.folder, "other.db")];
    // The first charge's error takes two lines, so the third charge is in line 5.
    const lines = text.split("\r\n");
    const broken = room.write(
      "broken.csv",
      text.replace(`\r\n${lines[3]}`, `\r\n${lines[3]?.replace(/,exact,|,reported,/, ",guessed,")}`),
    );
    const { code, stdout, stderr } = await room.run(["import", broken, ...there]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(
      /^invalid_input: the file has charges that cannot be booked\n {2}line 5, cost_source: expected one of reported, exact, .*\nMend the named lines and import the file again: what is booked already is not booked twice\.\n$/,
    );
    expect((await room.json(["costs", ...there])).charges).toBe(0);
    const mended = room.write("mended.csv", text);
    expect((await room.json(["import", mended, ...there])).imported).toBe(3);
  });

  test("says what was booked before the faulty batch", async () => {
    const { room, ada, agent } = await usedRoom();
    for (let i = 0; i < 500; i++)
      await agent.call("report_usage", { session_id: ada, input_tokens: 1, output_tokens: 0, cost_usd: 0.0001 });
    const text = (await room.run(["export", "--format", "jsonl"])).stdout;
    const file = room.write("charges.jsonl", text.trimEnd().replace(/"late":false([^\n]*)$/, '"late":0$1'));
    const there = ["--ledger", join(room.folder, "other.db")];
    const { code, stderr } = await room.run(["import", file, ...there]);
    expect(code).toBe(2);
    expect(stderr).toContain(
      "cannot be booked (500 charges before booked, 0 charges known already)\n  line 503, late: expected true or false\n",
    );
    expect((await room.json(["costs", ...there])).charges).toBe(500);
    expect(await room.json(["import", room.write("mended.jsonl", text), ...there])).toMatchObject({
      imported: 3,
      known: 500,
    });
  });

  test.each([
    ["empty.csv", "", 0, "Imported 0 charges"],
    ["head.csv", "a,b\r\n1,2\r\n", 2, "line 1: expected the columns of an export; charge_id is missing"],
    ["focus.csv", "BilledCost,Tags\r\n", 2, "line 1: expected an export without --focus"],
    ["focus.jsonl", '{"BilledCost":1}\n', 2, "line 1: expected an export without --focus"],
    ["text.jsonl", "\n[]\n", 2, "line 2: expected a JSON object"],
    ["half.jsonl", '{"charge_id"', 2, "line 1: expected a JSON object"],
    [
      "other.jsonl",
      '{"__proto__":{"late":true},"x":1}',
      2,
      "line 1, charge_id: expected the id of a charge, e.g. chg_01",
    ],
    ["binary.csv", Buffer.from([0x63, 0xff, 0xfe, 0x00]), 2, "FILE: expected text in UTF-8"],
    ["charges.txt", "", 2, "--format: expected csv or jsonl"],
  ])("of %s", async (name, text, code, says) => {
    const room = newRoom("{}");
    const run = await room.run(["import", room.write(name, text as string)]);
    expect([run.code, run.stdout + run.stderr]).toEqual([code, expect.stringContaining(says)]);
    expect(run.stderr).not.toMatch(/\n\s+at /);
  });

  test("a session that is another agent's there is named", async () => {
    const { room } = await usedRoom();
    const text = (await room.run(["export", "--format", "jsonl", "--agent", "ada"])).stdout;
    const file = room.write("charges.jsonl", text.replace('"agent_id":"ada"', '"agent_id":"eve"'));
    const { code, stderr } = await room.run(["import", file]);
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/line 1, agent_id: expected ada \(agent_id\): session ses_\w+ is in this/),
    ]);
    expect(readdirSync(room.folder)).toContain("charges.jsonl");
  });
});
