// A process that swaps a folder and a file for links that lead outside and back, as fast as it can, until it is killed.
import { renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";

const [root = "", outside = ""] = process.argv.slice(2);

process.send?.("ready");
for (;;) {
  swap(join(root, "folder-or-link"), outside);
  swap(join(root, "file-or-link"), join(outside, "secret"));
}

function swap(place: string, target: string): void {
  renameSync(place, `${place}-kept`);
  symlinkSync(target, place);
  rmSync(place);
  renameSync(`${place}-kept`, place);
}
