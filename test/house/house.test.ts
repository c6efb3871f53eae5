// The house in order: what the package promises, the example, and files that can be read in one sitting.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { loadPolicy } from "../../src/config.ts";
import { BUDGET_FIELDS, BUILT_IN_HARD_CAPS, BUILT_IN_ROLES, type Budget } from "../../src/core/budget.ts";
import { effectiveBudget, roleNameOf } from "../../src/core/inheritance.ts";
import { budgetOut } from "../../src/operations/output.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const read = (name: string): string => readFileSync(join(root, name), "utf8");

const FOLDERS = ["src", "test", "demo", "bench", "schema"];
const files = FOLDERS.flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(folder, name)),
);

describe("the package", () => {
  const pack = JSON.parse(read("package.json")) as Record<string, Record<string, string>> & {
    name: string;
    type: string;
    files: string[];
  };

  test("is called astra-budget, and so is its command, which npm ci builds", () => {
    expect(pack.name).toBe("astra-budget");
    expect(pack.type).toBe("module");
    expect(pack.bin).toEqual({ "astra-budget": "dist/cli.js" });
    expect(pack.scripts?.prepare).toContain("rolldown");
    const built = join(root, "dist", "cli.js");
    expect(readFileSync(built, "utf8")).toMatch(/^#!\/usr\/bin\/env node\n/);
  });

  test("asks for a Node that its parts run on, and brings one along", () => {
    expect(pack.engines).toEqual({ node: ">=22.18" });
    expect(pack.devDependencies?.node).toMatch(/^24\./);
    expect(Number(process.versions.node.split(".")[0])).toBe(24);
  });

  test("has the commands that people are told of, and each names what is there", () => {
    for (const name of ["demo", "test", "build", "lint", "types", "bench"])
      expect(pack.scripts, name).toHaveProperty(name);
    for (const script of Object.values(pack.scripts ?? {})) {
      const file = /^node (\S+\.ts)/.exec(script)?.[1];
      if (file) expect(existsSync(join(root, file)), file).toBe(true);
    }
    for (const name of pack.files ?? []) expect(existsSync(join(root, name)), name).toBe(true);
  });

  test("pins every dependency, so that the same install is made everywhere", () => {
    for (const [name, version] of Object.entries({ ...pack.dependencies, ...pack.devDependencies }))
      expect(version, name).toMatch(/^\d+\.\d+\.\d+(-[a-z]+\.\d+)?$/);
  });
});

describe("the example", () => {
  const { policy, notes } = loadPolicy(join(root, "astra.yml.example"));

  test("loads without a note", () => {
    expect(notes.filter((note) => !note.includes("every user of this machine"))).toEqual([]);
  });

  test("has the seed's figures: research-agent's budget, and the roles and hard caps in its comments", () => {
    const { budget } = effectiveBudget(policy, "research-agent", roleNameOf(policy, "research-agent", null), {}, null);
    expect(budgetOut(budget)).toMatchObject({
      max_total_tokens: 50_000,
      max_cost_cents: 50,
      max_tool_calls: 20,
      max_duration: 60_000,
      max_child_agents: 0,
    });
    const text = read("astra.yml.example");
    const caps = Object.fromEntries(
      BUDGET_FIELDS.map((field) => [field, Number(new RegExp(`^# +${field}: (\\d+)`, "m").exec(text)?.[1])]),
    );
    expect(caps).toEqual(numbersOf(BUILT_IN_HARD_CAPS));
    for (const [role, budget] of Object.entries(BUILT_IN_ROLES)) {
      const [, tokens, dollars, calls, seconds] =
        new RegExp(`^# +${role} +([\\d,]+) tokens +\\$([\\d.]+) +(\\d+) tool calls +(\\d+) s`, "m").exec(text) ?? [];
      expect(numbersOf(budget), role).toMatchObject({
        maxTotalTokens: Number(tokens?.replace(",", "")),
        maxCostCents: Math.round(Number(dollars) * 100),
        maxToolCalls: Number(calls),
        maxDuration: Number(seconds) * 1000,
      });
    }
  });
});

/** A budget as astra.yml writes it. */
function numbersOf(budget: Partial<Budget>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(budget).map(([field, value]) => [
      field,
      field === "maxCostCents" ? Number(value / 10_000_000n) : Number(value),
    ]),
  );
}

describe("the files", () => {
  test("no file of the source is longer than can be read in one sitting", () => {
    const long = files.filter((file) => file.startsWith("src") && statSync(join(root, file)).size > 14_500);
    expect(long).toEqual([]);
  });

  test("every file says in its first line what it is for", () => {
    const silent = files.filter((file) => !/^(#!.*\n)?\/\/ \S.{20,}[.:]?/.test(read(file)));
    expect(silent).toEqual([]);
  });

  test("nothing is left to be done later", () => {
    const marks = new RegExp(["TO", "FIX", "HA"].map((start, i) => `\\b${start}${["DO", "ME", "CK"][i]}\\b`).join("|"));
    expect(files.filter((file) => marks.test(read(file)))).toEqual([]);
  });

  test("no test is left out or alone, and none replaces a part by a mock", () => {
    const tests = files.filter((file) => file.endsWith(".test.ts") && !file.startsWith(join("test", "house")));
    const out = tests.filter((file) =>
      /\b(test|describe|it)\.(only|skip|todo)\(|vi\.(mock|fn|spyOn)\(/.test(read(file)),
    );
    expect(out).toEqual([]);
  });

  test("no path of one machine and no key is in any file", () => {
    const own = files.filter((file) => !file.startsWith(join("test", "house")));
    expect(own.filter((file) => /"\/(work|home|Users)\/|sk-[a-zA-Z0-9]{20}/.test(read(file)))).toEqual([]);
  });
});

test("what is found at the top is what the readme of the house lists", () => {
  for (const name of [
    "src",
    "schema",
    "test",
    "astra.yml.example",
    "package.json",
    "tsconfig.json",
    "README.md",
    "CONTRIBUTING.md",
  ])
    expect(existsSync(join(root, name)), name).toBe(true);
});
