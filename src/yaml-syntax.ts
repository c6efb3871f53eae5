// What a text has that is no YAML: the library's errors by line and column, in our words.
import type { YAMLError } from "yaml";

/** Counted from 1; columns in UTF-16 units, as editors count them. */
export type Position = { readonly line: number; readonly column: number };
export type Path = readonly (string | number)[];
/** A fault whose position is known already, since its path alone does not tell. */
export type LocatedFault = Position & { readonly path: Path; readonly message: string };

/** One fault a line: the library reports the consequences of a slip as further errors. */
export function syntaxFaults(errors: readonly YAMLError[], position: (offset: number) => Position): LocatedFault[] {
  const byLine = new Map<number, LocatedFault>();
  for (const error of errors) {
    const exhausted = error.code === "RESOURCE_EXHAUSTION";
    const at = position(exhausted ? 0 : error.pos[0]);
    const message = `not valid YAML here: ${SYNTAX[error.code]}`;
    if (!byLine.has(at.line)) byLine.set(at.line, { ...at, path: [], message });
  }
  return [...byLine.values()];
}

/** Deeper than any policy; keeps recursion over hostile nesting short. */
export const MAX_DEPTH = 32;
export const TOO_DEEP = `nested too deeply, expected at most ${MAX_DEPTH} levels`;
const SYNTAX = {
  ALIAS_PROPS: "an alias (*name) carries an anchor or a tag, expected it alone",
  BAD_ALIAS:
    "an alias or anchor has no proper name, expected *name or &name; a text that begins with * or & needs quotes",
  BAD_COLLECTION_TYPE: "a tag (!…) does not fit what follows, expected a plain value",
  BAD_DIRECTIVE: "a directive (%…) is unknown, expected none",
  BAD_DQ_ESCAPE: "a backslash in double quotes begins no known escape, expected \\\\ or single quotes",
  BAD_INDENT: "the indentation does not fit, expected the column of the lines it belongs to",
  BAD_PROP_ORDER: "an anchor or tag is misplaced, expected it right before its value",
  BAD_SCALAR_START: "a text begins with a reserved character, expected it in quotes",
  BLOCK_AS_IMPLICIT_KEY:
    "a second colon or a nested block on one line, expected one key a line; a text with a colon needs quotes",
  BLOCK_IN_FLOW: "an indented block inside [ ] or { }, expected commas between the entries",
  DUPLICATE_KEY: "a key is given twice, expected each key once",
  IMPOSSIBLE: "the text cannot be understood, expected YAML",
  KEY_OVER_1024_CHARS: "a key is longer than 1,024 characters, expected a shorter one",
  MISSING_CHAR:
    "a character is missing, expected a closing quote or bracket, a comma, or a colon and a space after a key",
  MULTILINE_IMPLICIT_KEY: "a key runs over several lines, expected it on one; perhaps a colon is missing",
  MULTIPLE_ANCHORS: "a value has two anchors (&name), expected one",
  MULTIPLE_DOCS: "a second document begins (---), expected one",
  MULTIPLE_TAGS: "a value has two tags (!…), expected none",
  NON_STRING_KEY: "a key is a list, a mapping or an alias, expected a plain text",
  RESOURCE_EXHAUSTION: TOO_DEEP,
  TAB_AS_INDENT: "a tab indents the line, expected spaces",
  TAG_RESOLVE_FAILED: "a tag (!…) is unknown, expected a plain value",
  UNEXPECTED_TOKEN: "an unexpected character, expected a key, a value or a comment after a space",
} satisfies Record<YAMLError["code"], string>;
