// Builds dist/ before tests that start the real command, if src/ is newer. The change is one rename: a process that
// is starting from dist/ at the same moment never sees half of it.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const dist = join(root, "dist");

export function setup(): void {
  const entry = join(dist, "cli.js");
  if (existsSync(entry) && statSync(entry).mtimeMs >= lastChange()) return;
  const fresh = join(root, "node_modules", `.dist-${process.pid}`);
  const old = `${fresh}-old`;
  try {
    const rolldown = join(root, "node_modules", "rolldown", "bin", "cli.mjs");
    execFileSync(process.execPath, [rolldown, "-c", "--logLevel", "warn"], {
      cwd: root,
      env: { ...process.env, ASTRA_DIST: fresh },
      stdio: "inherit",
    });
    if (existsSync(dist)) renameSync(dist, old);
    renameSync(fresh, dist);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
    rmSync(old, { recursive: true, force: true });
  }
}

/** When anything that dist/ is made of was changed last; a folder's own time tells of deleted files. */
function lastChange(): number {
  const src = join(root, "src");
  const files = readdirSync(src, { recursive: true, encoding: "utf8" }).map((name) => join(src, name));
  const all = [src, ...files, join(root, "rolldown.config.js")];
  return Math.max(...all.map((file) => statSync(file).mtimeMs));
}
