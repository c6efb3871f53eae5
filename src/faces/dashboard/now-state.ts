// The newest get_now of one kind of reader: which parts changed when, so that each stream is told what it was not told yet.

export type NowAnswer = {
  readonly at: string;
  readonly feed: readonly unknown[];
  readonly feed_cursor: string;
  readonly feed_left_out: number;
  readonly feed_hidden: boolean;
  readonly [section: string]: unknown;
};

/** Up to where a stream was told. */
export type Mark = { readonly version: number; readonly charges: number };

/** `data` is JSON; `mark` is what to ask by next. */
export type News = { readonly data: string; readonly mark: Mark };

type Numbered = { readonly number: number; readonly json: string };

/** Charges that one message shows at most; and the first one, as many as get_now shows to who asks anew. */
const MOST_CHARGES = 100;
const FIRST_CHARGES = 30;

/** Its memory does not depend on how many streams there are, nor on how long one of them does not read. */
export class NowState {
  readonly #sections = new Map<string, { json: string; version: number }>();
  #version = 0;
  /** The newest charges, the oldest first, by the number at which they came: those left out have numbers too. */
  #feed: Numbered[] = [];
  #charges = 0;
  #at = "";
  #cursor = "";
  #isHidden = true;

  /** What to ask get_now for next. */
  get after(): { readonly after?: string } {
    return this.#isHidden ? {} : { after: this.#cursor };
  }

  take({ at, feed, feed_cursor, feed_left_out, ...sections }: NowAnswer): void {
    this.#version += 1;
    for (const [name, value] of Object.entries(sections)) {
      const json = JSON.stringify(value);
      if (this.#sections.get(name)?.json !== json) this.#sections.set(name, { json, version: this.#version });
    }
    const before = this.#charges + feed_left_out;
    const newest = feed.map((charge, i) => ({ number: before + i + 1, json: JSON.stringify(charge) }));
    this.#charges = before + feed.length;
    // A policy that begins to hide charges hides those of before from who comes later, too.
    this.#feed = sections.feed_hidden ? [] : [...this.#feed, ...newest].slice(-MOST_CHARGES);
    this.#at = at;
    this.#cursor = feed_cursor;
    this.#isHidden = sections.feed_hidden;
  }

  /** For a stream that begins. */
  everything(): News {
    return this.#news([...this.#sections], this.#told(this.#feed.slice(-FIRST_CHARGES), 0));
  }

  /** What changed since then; null = nothing. */
  since(mark: Mark): News | null {
    const changed = [...this.#sections].filter(([, { version }]) => version > mark.version);
    const charges = this.#charges - mark.charges;
    if (changed.length === 0 && charges === 0) return null;
    const shown = this.#feed.filter(({ number }) => number > mark.charges);
    return this.#news(changed, charges === 0 ? [] : this.#told(shown, charges - shown.length));
  }

  #news(sections: readonly (readonly [string, { readonly json: string }])[], feed: readonly string[]): News {
    const told = sections.map(([name, { json }]) => `"${name}":${json}`);
    const data = `{${[`"at":${JSON.stringify(this.#at)}`, ...told, ...feed].join(",")}}`;
    return { data, mark: { version: this.#version, charges: this.#charges } };
  }

  #told(shown: readonly Numbered[], leftOut: number): string[] {
    return [
      `"feed":[${shown.map(({ json }) => json).join(",")}]`,
      `"feed_cursor":${JSON.stringify(this.#cursor)}`,
      `"feed_left_out":${leftOut}`,
    ];
  }
}
