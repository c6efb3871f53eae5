// The known word that a misspelt one most likely meant, for "did you mean".

/**
 * The known word nearest to a misspelt one, or null. Case, `_` and `-` do not count; one letter may differ, in words of
 * five and more two; a beginning of four letters and more stands for the whole (dailyCostLimit, dailyCostLimitUsd).
 */
export function nearest(word: string, known: readonly string[]): string | null {
  const asked = folded(word);
  if (asked.length > 64) return null;
  let best: string | null = null;
  let bound = asked.length < 3 ? 1 : asked.length < 5 ? 2 : 3;
  for (const candidate of known) {
    const name = folded(candidate);
    const begins = asked.length >= 4 && (name.startsWith(asked) || (name.length >= 4 && asked.startsWith(name)));
    const distance = begins ? Math.min(1, editDistance(asked, name)) : editDistance(asked, name);
    if (distance < bound) [best, bound] = [candidate, distance];
  }
  return best;
}

function folded(word: string): string {
  return word.toLowerCase().replace(/[_\-\s]/g, "");
}

/** Levenshtein: the fewest letters to insert, delete or replace. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next[j] = Math.min(replace, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1);
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
