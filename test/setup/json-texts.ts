// Random JSON texts as people and programs write them: any indentation, line ends, comments, trailing commas, a mark.
import fc from "fast-check";

type Options = { readonly isStrict?: true };

/** The text of an object; `isStrict`: without comments and trailing commas. Keys are k0, k1 …, comments c0, c1 …. */
export function jsonText(options: Options = {}): fc.Arbitrary<string> {
  const choice = fc.infiniteStream(fc.nat({ max: 99 }));
  return fc
    .record({
      choice,
      indent: fc.constantFrom("", " ", "  ", "    ", "\t"),
      eol: fc.constantFrom("\n", "\r\n", ""),
      mark: fc.constantFrom("", "", "", "\uFEFF"),
      tail: fc.constantFrom("", "\n", "\r\n", " \n\n"),
      depth: fc.integer({ min: 0, max: 4 }),
    })
    .map(({ choice: stream, indent, eol, mark, tail, depth }) => {
      let names = 0;
      const next = (below: number): number => (stream.next().value as number) % below;
      const comment = (): string => {
        if (options.isStrict || next(6) !== 0) return "";
        return eol !== "" && next(2) === 0 ? ` // c${names++}${eol}` : ` /* c${names++} */ `;
      };
      const space = (): string => ["", "", " ", "  ", "\t"][next(5)] ?? "";
      const container = (level: number, isObject: boolean): string => {
        const isWide = next(4) !== 0;
        const line = isWide && eol !== "" ? eol + indent.repeat(level + 1) : space();
        const members = Array.from({ length: next(4) }, () => {
          const name = isObject ? `"k${names++}"${space()}:${space()}` : "";
          return `${comment()}${line}${comment()}${name}${value(level + 1)}${comment()}`;
        });
        const trailing = !options.isStrict && members.length > 0 && next(4) === 0 ? "," : "";
        const close = isWide && eol !== "" ? eol + indent.repeat(level) : space();
        const body = `${members.join(`${comment()},`)}${trailing}${comment()}${close}`;
        return isObject ? `{${body}}` : `[${body}]`;
      };
      const value = (level: number): string => {
        if (level > depth || next(3) === 0) return ["1", '"http://x//y"', "null", "true", '"}, ]"'][next(5)] ?? "1";
        return container(level, next(2) === 0);
      };
      return `${mark}${container(0, true)}${tail}`;
    });
}
