// The disk that the ledger lies on: SQLite's locks do not hold between machines.
import { existsSync, statfsSync } from "node:fs";
import { dirname } from "node:path";

/** Linux's numbers for file systems that several machines may share. */
const SHARED: Readonly<Record<number, string>> = {
  26985: "NFS",
  20859: "SMB",
  4283649346: "CIFS",
  4266872130: "SMB",
  16914839: "9P",
  12805120: "Ceph",
  1397113167: "AFS",
};

/** The kind of the shared file system that the file would lie on; null = it is local, or the system does not tell. */
export function sharedDisk(file: string): string | null {
  if (process.platform !== "linux") return null;
  let folder = file;
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  return SHARED[statfsSync(folder).type] ?? null;
}
