// What an entry of the audit changed, field by field; pure.

export type Change = { readonly name: string; readonly before: string | null; readonly after: string | null };

/** Fields that differ; null on a side where there was nothing. */
export function changesOf(before: unknown, after: unknown): Change[] {
  const was = fieldsOf(before);
  const is = fieldsOf(after);
  const names = [...new Set([...was.keys(), ...is.keys()])];
  return names
    .map((name) => ({ name, before: was.get(name) ?? null, after: is.get(name) ?? null }))
    .filter((change) => change.before !== change.after);
}

export const changeText = ({ name, before, after }: Change): string =>
  `${name === "" ? "" : `${name}: `}${[before, after].filter((side) => side !== null).join(" → ")}${after === null ? " (gone)" : ""}`;

/** Values by their path; what is null or empty is not there. */
function fieldsOf(value: unknown, path = ""): Map<string, string> {
  if (value === null || value === undefined) return new Map();
  if (typeof value !== "object") return new Map([[path, String(value)]]);
  if (Array.isArray(value)) return new Map(value.length === 0 ? [] : [[path, value.map(leafText).join(", ")]]);
  const inner = Object.entries(value).flatMap(([name, each]) => [
    ...fieldsOf(each, path === "" ? name : `${path}.${name}`),
  ]);
  return new Map(inner);
}

const leafText = (value: unknown): string => (typeof value === "string" ? value : (JSON.stringify(value) ?? ""));
