// The README's tour with curl is run against a real server, line by line, as printed.
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { newRoom } from "../faces/room.ts";
import { startServer } from "../faces/server-process.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const readme = readFileSync(join(root, "README.md"), "utf8");

type Line = {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string | null;
};

/** The curl lines of the tour, as the shell would split them. */
function linesOf(block: string): Line[] {
  const commands = block
    .replaceAll("\\\n", " ")
    .split("\n")
    .filter((line) => line.startsWith("curl "));
  return commands.map((command) => {
    const words = [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? "");
    const line = { method: "GET", url: "", headers: {} as Record<string, string>, body: null as string | null };
    for (let i = 1; i < words.length; i++) {
      const word = words[i] ?? "";
      if (word === "-X") line.method = words[++i] ?? "";
      else if (word === "-d") line.body = words[++i] ?? "";
      else if (word === "-H") {
        const [name = "", value = ""] = (words[++i] ?? "").split(": ");
        line.headers[name] = value;
      } else line.url = word;
    }
    return line;
  });
}

test("every line of the tour with curl works as printed", async () => {
  const room = newRoom();
  copyFileSync(join(root, "astra.yml.example"), join(room.folder, "astra.yml"));
  const server = await startServer(room, ["--config", "astra.yml"]);
  const [, tour = ""] = /### A tour with curl\n\n```bash\n(.*?)```/s.exec(readme) ?? [];
  const lines = linesOf(tour);
  expect(lines.length).toBeGreaterThan(10);
  let session = "";
  for (const { method, url, headers, body } of lines) {
    const filled = (text: string) =>
      text
        .replace("$KEY", server.ownerKey)
        .replace("$SESSION", session)
        .replace("$TOMORROW", new Date(Date.now() + 86_400_000).toISOString())
        .replace("http://127.0.0.1:4747/", server.url.href);
    const response = await fetch(filled(url), {
      method,
      headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, filled(value)])),
      body: body === null ? null : filled(body),
    });
    const answer = (await response.json()) as { session_id?: string };
    expect([200, 201], `${method} ${url} ${JSON.stringify(answer)}`).toContain(response.status);
    session ||= answer.session_id ?? "";
  }
  expect(await server.stop()).toBe(0);
});
