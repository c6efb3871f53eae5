// Foreign text inside our own sentences and listings: which text is plain, and how any value is shown safely.

/**
 * Characters that move the cursor, break the line or turn the reading direction: control characters (C0, DEL, C1),
 * line and paragraph separators, and the bidirectional overrides and isolates. They can forge or hide a line.
 */
const FORGING = /[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/u;
const SHOWN_CHARACTERS = 60;

/** Well-formed text without control characters, line separators or direction overrides. */
export function isPlainText(text: string): boolean {
  return text.isWellFormed() && !FORGING.test(text);
}

/** The text in double quotes, cut after 60 characters, everything that could forge a line escaped. */
export function quoted(text: string): string {
  const cut = text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
  const escaped = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(cut).replace(new RegExp(FORGING, "gu"), escaped);
}

/** A value of a file as a fault names it: `"500,000"`, `-5`, `NaN`, `a list`, `nothing`. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (typeof value === "string") return quoted(value);
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "bigint") return String(value);
  return Array.isArray(value) ? "a list" : "a mapping";
}

/** A whole number with thousands separators; by hand, since Intl takes 25 ms to wake up. */
export function grouped(number: number | bigint): string {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ",");
}
