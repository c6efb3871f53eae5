// Spoilt session files for fuzzing: lines of the real form with bytes changed, values replaced or fields gone, and rubbish.
import fc from "fast-check";

/** Values that a reader must not take for counts, ids or times, or must take with care. */
const ODD = [
  null,
  true,
  "",
  "10",
  -1,
  -0,
  0.5,
  1e9,
  1e9 + 1,
  2 ** 53,
  1e308,
  [],
  {},
  [[]],
  "\u0000",
  "\u202e",
  "\ud800",
  "<b>",
  "x".repeat(200),
  { __proto__: { input_tokens: 1 } },
] as const;

const anyOdd = fc.oneof(fc.constantFrom<unknown>(...ODD), fc.jsonValue({ maxDepth: 2 }));

/** The line with the value at a random place replaced, or its field left out. */
function withOddValue(line: string): fc.Arbitrary<string> {
  const places = line.match(/[:,[]/g)?.length ?? 1;
  return fc.tuple(fc.nat(places), anyOdd, fc.boolean()).map(([place, odd, gone]) => {
    let left = place;
    const changed = JSON.parse(line, (_, value) => {
      left -= 1;
      return left === -1 ? (gone ? undefined : odd) : value;
    });
    return JSON.stringify(changed) ?? "null";
  });
}

/** The line with a few bytes replaced, put in or taken out. */
function withOddBytes(line: string): fc.Arbitrary<Buffer> {
  const edit = fc.tuple(fc.nat(), fc.nat(3), fc.uint8Array({ maxLength: 4 }));
  return fc.array(edit, { minLength: 1, maxLength: 4 }).map((edits) =>
    edits.reduce((bytes, [at, gone, put]) => {
      const start = at % (bytes.length + 1);
      return Buffer.concat([bytes.subarray(0, start), put, bytes.subarray(start + gone)]);
    }, Buffer.from(line)),
  );
}

/** Whole, spoilt or no lines at all, after those given. */
export function spoiltLine(lines: readonly Buffer[]): fc.Arbitrary<Buffer> {
  const one = fc.constantFrom(...lines.map(String));
  return fc.oneof(
    one.map((line) => Buffer.from(line)),
    one.chain(withOddValue).map((line) => Buffer.from(line)),
    one.chain(withOddBytes),
    fc.tuple(one, fc.nat()).map(([line, at]) => Buffer.from(line).subarray(0, at % (line.length + 1))),
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  );
}
