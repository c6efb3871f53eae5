// Files named by others are opened inside their folder only: no link out of it, no pipe, no folder, no device.
import { execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openConfined } from "../../src/meters/confined-file.ts";
import { put, temporaryFolder } from "./temporary.ts";

const RACE_MS = 1500;

const folder = temporaryFolder();
const root = join(folder, "root");
const secret = put(join(folder, "secret"), "out of bounds");
put(join(folder, "root-beside", "file"), "out of bounds");
const inside = put(join(root, "project", "file.jsonl"), "within");
const server = createServer();

beforeAll(async () => {
  symlinkSync(secret, join(root, "out"));
  symlinkSync(folder, join(root, "up"));
  symlinkSync(inside, join(root, "project", "link"));
  symlinkSync("loop", join(root, "loop"));
  symlinkSync(root, join(folder, "way-in"));
  mkdirSync(join(root, "folder"));
  execFileSync("mkfifo", [join(root, "fifo")]);
  await new Promise<void>((ready) => server.listen(join(root, "socket"), ready));
});
afterAll(() => {
  server.close();
});

/** The file's text; null where there is none. */
function opened(file: string, below = root): string | null {
  const fd = openConfined(below, file);
  if (fd === null) return null;
  try {
    return readFileSync(fd, "utf8");
  } finally {
    closeSync(fd);
  }
}

const REFUSED = expect.objectContaining({ code: "invalid_input", message: expect.stringMatching(/^file: expected/) });

describe("openConfined", () => {
  test("opens a file inside, by its whole path, by one from the root on, or through links that stay inside", () => {
    expect(opened(inside)).toBe("within");
    expect(opened(join("project", "file.jsonl"))).toBe("within");
    expect(opened(join(root, "project", "link"))).toBe("within");
    expect(opened(join(folder, "way-in", "project", "file.jsonl"))).toBe("within");
    expect(opened(inside, join(folder, "way-in"))).toBe("within");
  });

  test("answers null where there is no such file or no such folder", () => {
    expect(opened(join(root, "project", "none"))).toBeNull();
    expect(opened(join(inside, "below-a-file"))).toBeNull();
    expect(opened("file", join(folder, "no-root"))).toBeNull();
  });

  test.for([
    ["a file outside", secret],
    ["a name outside that no file has", join(folder, "nothing-here")],
    ["a file in a folder whose name begins like the root's", join(folder, "root-beside", "file")],
    ["a way up", join("project", "..", "..", "secret")],
    ["a way up and down again", `${root}/project/../project/file.jsonl`],
    ["a link to a file outside", "out"],
    ["a link to a folder outside", join("up", "secret")],
    ["a link to itself", "loop"],
    ["the root itself", root],
    ["a folder", "folder"],
    ["a pipe", "fifo"],
    ["a socket", "socket"],
    ["a device", "/dev/zero"],
    ["the kernel's own files", "/proc/self/environ"],
    ["nothing", ""],
    ["a zero byte", `${inside}\0.txt`],
    ["a name too long for any file", "n".repeat(5000)],
  ])("refuses %s in our own words", ([, file]) => {
    expect(() => opened(file ?? "")).toThrow(REFUSED);
  });

  test("never reads outside, whatever path is asked for", () => {
    const part = fc.constantFrom(
      "..",
      ".",
      "",
      "up",
      "out",
      "project",
      "file.jsonl",
      "link",
      "root",
      "secret",
      "%2e%2e",
      "\0",
    );
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 8 }),
        fc.constantFrom("", "/", `${root}/`, `${folder}/`),
        (parts, start) => {
          try {
            expect([null, "within"]).toContain(opened(start + parts.join("/")));
          } catch (error) {
            expect(error).toEqual(REFUSED);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  test("never reads outside while another process swaps a folder and a file for links", async () => {
    put(join(root, "folder-or-link", "secret"), "within");
    put(join(root, "file-or-link"), "within");
    const swapper = fork(new URL("swapper.ts", import.meta.url), [root, folder]);
    const exited = once(swapper, "exit");
    await once(swapper, "message");
    const seen = { within: 0, outside: 0, refused: 0, none: 0 };
    for (const until = performance.now() + RACE_MS; performance.now() < until; ) {
      for (const file of [join("folder-or-link", "secret"), "file-or-link"]) {
        try {
          const text = opened(file);
          seen[text === null ? "none" : text === "within" ? "within" : "outside"] += 1;
        } catch (error) {
          expect(error).toEqual(REFUSED);
          seen.refused += 1;
        }
      }
    }
    swapper.kill("SIGKILL");
    await exited;
    expect(seen.outside).toBe(0);
    expect(seen.within).toBeGreaterThan(0);
    expect(seen.refused).toBeGreaterThan(0);
  });
});
