// The plugin does what `install claude-code` does: the same hooks, the same server, one version.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { EVENTS, SERVER, serverEntry, toolHandlers } from "../../src/setup/guard.ts";

const read = (name: string) =>
  JSON.parse(readFileSync(fileURLToPath(new URL(`../../${name}`, import.meta.url)), "utf8"));
const manifest = read("plugin/.claude-plugin/plugin.json");

test("its hooks are those that install writes, asking the server by its name within the plugin", () => {
  const handlers = toolHandlers(`plugin:${manifest.name}:${SERVER}`);
  expect(read("plugin/hooks/hooks.json").hooks).toEqual(
    Object.fromEntries(EVENTS.map((event) => [event, [{ hooks: [handlers[event]] }]])),
  );
});

test("its server is the package's command, by the name that npm gives it", () => {
  const [command] = Object.keys(read("package.json").bin);
  expect(read("plugin/.mcp.json").mcpServers).toEqual({
    [SERVER]: serverEntry({ command: String(command), args: ["stdio"] }, undefined),
  });
});

test("the marketplace names it, and its version is the package's", () => {
  expect(manifest.version).toBe(read("package.json").version);
  expect(read(".claude-plugin/marketplace.json").plugins).toMatchObject([{ name: manifest.name, source: "./plugin" }]);
});
