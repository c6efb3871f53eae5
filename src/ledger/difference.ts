// A difference between what is stored and what the charges and holds come to, in words for the operator.

export type Difference = {
  readonly what: "balance" | "cost" | "sum" | "session" | "hold" | "execution";
  readonly key: string;
  readonly stored: string;
  readonly computed: string;
};

/** Notes a difference, if it is one. */
export function note(
  differences: Difference[],
  what: Difference["what"],
  key: string,
  stored: string,
  computed: string,
): void {
  if (stored !== computed) differences.push({ what, key, stored, computed });
}
