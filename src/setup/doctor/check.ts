// What doctor finds: one line for each thing looked at, and for each fault what to do about it.

export type Check = {
  readonly name: string;
  readonly state: "ok" | "warning" | "fault";
  readonly text: string;
  /** What to do; null where all is well. */
  readonly mend: string | null;
};

export const ok = (name: string, text: string): Check => ({ name, state: "ok", text, mend: null });
export const warning = (name: string, text: string, mend: string): Check => ({ name, state: "warning", text, mend });
export const fault = (name: string, text: string, mend: string): Check => ({ name, state: "fault", text, mend });

/** "22.18", "v24.1.0", "2.1.330 (Claude Code)": the first three numbers decide. */
export function isAtLeast(version: string, least: string): boolean {
  const [a, b] = [partsOf(version), partsOf(least)];
  const at = [0, 1, 2].find((i) => a[i] !== b[i]);
  return at === undefined || (a[at] ?? 0) > (b[at] ?? 0);
}

function partsOf(version: string): number[] {
  const [, major, minor, patch] = /(\d+)\.(\d+)(?:\.(\d+))?/.exec(version) ?? [];
  return [major, minor, patch].map((part) => Number(part ?? 0));
}
