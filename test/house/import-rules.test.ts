// The import rules of the house: a rule that was never seen to fire is none, so each is broken once, in a copy.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const biome = join(root, "node_modules", "@biomejs", "biome", "bin", "biome");
const copy = mkdtempSync(join(tmpdir(), "astra-budget-house-"));

type Diagnostic = { readonly category: string; readonly path: string };

beforeAll(() => {
  for (const name of ["biome.json", ".gitignore", "package.json", "src"])
    cpSync(join(root, name), join(copy, name), { recursive: true });
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

/** What the linter finds in the copy, by file. */
function lint(): Diagnostic[] {
  let json: string;
  try {
    const args = [biome, "lint", "--reporter=json", "--max-diagnostics=none", "src"];
    json = execFileSync(process.execPath, args, { cwd: copy, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch (error) {
    json = (error as { stdout: string }).stdout;
  }
  const { diagnostics } = JSON.parse(json) as { diagnostics: { category: string; location: { path: unknown } }[] };
  return diagnostics.map(({ category, location }) => ({ category, path: pathOf(location.path) }));
}

const pathOf = (path: unknown): string => (typeof path === "string" ? path : (path as { file: string }).file);

/** A file each, the import that its folder must not have, and the rule that says so. */
const RULE = "lint/style/noRestrictedImports";
const VIOLATIONS: readonly [string, string, string][] = [
  ["src/core/x-clock.ts", `import { readFileSync } from "node:fs";`, RULE],
  ["src/core/x-ledger.ts", `import type { Ledger } from "../ledger/ledger.ts";`, RULE],
  ["src/core/x-operations.ts", `import { invoke } from "../operations/operation.ts";`, RULE],
  ["src/core/x-outside.ts", `import { version } from "../main.ts";`, RULE],
  ["src/core/x-yaml.ts", `import { parse } from "yaml";`, RULE],
  ["src/core/x-kysely.ts", `import { sql } from "kysely";`, RULE],
  ["src/core/x-prices.ts", `import { calcPrice } from "@pydantic/genai-prices";`, RULE],
  ["src/ledger/x-operations.ts", `import { invoke } from "../operations/operation.ts";`, RULE],
  ["src/ledger/x-faces.ts", `import { table } from "../faces/table.ts";`, RULE],
  ["src/ledger/x-zod.ts", `import { z } from "zod";`, RULE],
  ["src/ledger/x-driver.ts", `import Database from "better-sqlite3";`, RULE],
  ["src/operations/x-faces.ts", `import { table } from "../faces/table.ts";`, RULE],
  ["src/operations/x-node.ts", `import { randomBytes } from "node:crypto";`, RULE],
  ["src/operations/x-protocol.ts", `import { McpServer } from "@modelcontextprotocol/server";`, RULE],
  ["src/operations/x-kysely.ts", `import { sql } from "kysely";`, RULE],
  ["src/faces/x-ledger.ts", `import { openSqlite } from "../ledger/sqlite.ts";`, RULE],
  ["src/faces/x-driver.ts", `import Database from "better-sqlite3";`, RULE],
  ["src/webhooks/x-ledger.ts", `import type { Ledger } from "../ledger/ledger.ts";`, RULE],
  ["src/setup/x-ledger.ts", `import type { Ledger } from "../ledger/ledger.ts";`, RULE],
  ["src/meters/x-ledger.ts", `import type { Ledger } from "../ledger/ledger.ts";`, RULE],
  ["src/core/x-cycle-a.ts", `import { b } from "./x-cycle-b.ts";`, "lint/suspicious/noImportCycles"],
  ["src/core/x-cycle-b.ts", `import { a } from "./x-cycle-a.ts";`, "lint/suspicious/noImportCycles"],
  ["src/operations/x-console.ts", `console.log(1);`, "lint/suspicious/noConsole"],
  ["src/operations/x-any.ts", `export const it = (value: any) => value;`, "lint/suspicious/noExplicitAny"],
  ["src/operations/x-default.ts", `export default 1;`, "lint/style/noDefaultExport"],
];

/** A use of what the line imports, so that nothing but the import itself is wrong. */
function usingIt(code: string): string {
  const name = /^import (?:type )?\{? ?(\w+) ?\}? from/.exec(code)?.[1];
  if (name === undefined) return "";
  const own = { a: "b", b: "a" }[name] ?? "it";
  return code.startsWith("import type") ? `\nexport type It = ${name};\n` : `\nexport const ${own} = () => ${name};\n`;
}

test("the house as it stands breaks no rule, and each rule fires in each folder where it holds", () => {
  expect(lint()).toEqual([]);
  for (const [file, code] of VIOLATIONS) {
    const path = join(copy, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${code}\n${usingIt(code)}`);
  }
  const found = lint();
  for (const [file, code, rule] of VIOLATIONS)
    expect(
      found.filter((each) => each.path === file).map((each) => each.category),
      `${file}: ${code}`,
    ).toContain(rule);
  expect(new Set(found.map((each) => each.path))).toEqual(new Set(VIOLATIONS.map(([file]) => file)));
});

test("nobody imports the command", () => {
  const names = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".ts"),
  );
  const importers = names.filter((name) =>
    /from "[./]+\/(cli|main)\.ts"/.test(readFileSync(join(root, "src", name), "utf8")),
  );
  expect(importers).toEqual([]);
});
