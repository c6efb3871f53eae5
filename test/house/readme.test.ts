// The README is tested like code: what it shows is there, and what it says to type works.
import { copyFileSync, existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { checkPolicyText } from "../../src/config.ts";
import { commands } from "../../src/faces/terminal.ts";
import { agentOperations } from "../../src/operations/index.ts";
import { modern } from "../faces/clients.ts";
import { newRoom } from "../faces/room.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const readme = readFileSync(join(root, "README.md"), "utf8");

/** The fenced blocks of a language. */
const blocks = (language: string): string[] =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms"))].map(([, text]) => text ?? "");

describe("what it shows", () => {
  test("the two commands", () => {
    expect(blocks("sh")).toContain("npm ci && npm run demo\n");
    expect(blocks("sh")).toContain("npm ci && npm test\n");
  });

  test("every tool, with an example, and every command of the operator", () => {
    for (const { name } of agentOperations) expect(readme).toMatch(new RegExp(`^#+ \`?${name}\`?$`, "m"));
    for (const name of [
      ...commands.map((command) => command.words.join(" ")),
      "stdio",
      "serve",
      "policy check",
      "policy show",
      "prices",
      "ledger backup",
      "export",
      "import",
      "init",
      "install",
      "uninstall",
      "doctor",
      "watch",
    ])
      expect(readme).toContain(`\`${name}`);
  });

  test("how to add it to each client", () => {
    for (const client of ["Claude Code", "Claude Desktop", "Cursor", "VS Code", "Inspector"])
      expect(readme).toContain(client);
    for (const text of blocks("json").filter((block) => /"(mcpServers|servers)"/.test(block))) {
      const servers = Object.values(
        JSON.parse(text) as Record<string, Record<string, { command: string; args: string[] }>>,
      );
      expect(servers[0]?.["astra-budget"]).toMatchObject({ command: "node", args: expect.arrayContaining(["stdio"]) });
    }
  });

  test("only files that are there", () => {
    const links = [...readme.matchAll(/\]\((?!https?:|#)([^)#]+)\)/g)].map(([, link]) => link ?? "");
    expect(links.length).toBeGreaterThan(3);
    for (const link of links) expect(existsSync(join(root, link)), link).toBe(true);
    for (const [, anchor] of readme.matchAll(/\]\(#([^)]+)\)/g)) {
      const anchors = [...readme.matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
        title
          ?.toLowerCase()
          .replace(/[^\w\- ]/g, "")
          .replaceAll(" ", "-"),
      );
      expect(anchors).toContain(anchor);
    }
  });

  test("a policy that loads", () => {
    expect(blocks("yaml").length).toBeGreaterThan(0);
    for (const text of blocks("yaml")) {
      parse(text);
      checkPolicyText(text, "README.md");
    }
  });
});

describe("what it says to type", () => {
  /** Words of a command line, quotes taken off. */
  const wordsOf = (line: string): string[] =>
    [...line.replace(/\s+#.*$/, "").matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? "");

  test("every command of its tour runs", async () => {
    const room = newRoom();
    copyFileSync(join(root, "astra.yml.example"), join(room.folder, "astra.yml"));
    const tours = blocks("sh").map((block) => block.split("\n").filter((line) => line.startsWith("node dist/cli.js")));
    expect(tours.flat().length).toBeGreaterThan(5);
    for (const lines of tours) {
      // Who begins with `init` has no policy yet.
      const place = lines.some((line) => wordsOf(line)[2] === "init") ? newRoom() : room;
      for (const line of lines) {
        const { code, stdout, stderr } = await place.run(wordsOf(line).slice(2));
        expect([0, 3, 4], `${line}\n${stdout}${stderr}`).toContain(code);
      }
    }
  });

  test("every example of a tool's arguments is one the tool takes", async () => {
    const room = newRoom();
    copyFileSync(join(root, "astra.yml.example"), join(room.folder, "astra.yml"));
    const agent = await modern(room);
    const { session_id } = (await agent.call("open_session", { agent_id: "research-agent" })).data;
    for (const { name } of agentOperations) {
      const section = readme.slice(readme.search(new RegExp(`^#+ \`?${name}\`?$`, "m")));
      const example = /```json\n(.*?)```/s.exec(section)?.[1] ?? "";
      const args = JSON.parse(example.replace(/"ses_…"/g, JSON.stringify(session_id)));
      const { isError, text } = await agent.call(name, args);
      expect(isError, `${name}: ${text}`).toBe(false);
    }
  });

  test("every environment variable and option it names is one the command knows", async () => {
    const room = newRoom();
    const helps = await Promise.all(
      [
        "stdio",
        "serve",
        "export",
        "import",
        "install",
        "doctor",
        "watch",
        ...commands.map((each) => each.words.join(" ")),
        "policy",
        "prices",
      ].map((name) => room.run([...name.split(" "), "--help"])),
    );
    const known = helps.map((help) => help.stdout).join("\n");
    const named = new Set([...readme.matchAll(/`(--[a-z-]+)|ASTRA_[A-Z_]+/g)].map(([all, option]) => option ?? all));
    for (const name of named) if (name !== "--help") expect(known, name).toContain(name);
  });
});

test("CONTRIBUTING and every page it links to are there too", () => {
  const file = join(root, "CONTRIBUTING.md");
  const text = readFileSync(file, "utf8");
  for (const [, link] of text.matchAll(/\]\((?!https?:|#)([^)#]+)\)/g))
    expect(existsSync(join(dirname(file), link ?? "")), link).toBe(true);
  for (const command of ["npm test", "npm run bench", "npm run lint"]) expect(text).toContain(command);
});
