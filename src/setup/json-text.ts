// A JSON file's text with the places of its values: comments and a byte-order mark are taken, faults have line and column.
import { createScanner, type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";
import { AstraError } from "../core/error.ts";

export type { Node } from "jsonc-parser";

/** The value of the whole text. Throws `invalid_input` with the line and column of the first fault. */
export function parseJson(text: string, file: string): Node {
  const errors: ParseError[] = [];
  // The parser knows no byte-order mark; a space in its place keeps every offset.
  const root = parseTree(text.replace(/^\uFEFF/, " "), errors, { allowTrailingComma: true });
  const [first] = errors;
  if (root && !first) return root;
  const fault =
    text.trim() === "" || !first ? "the file is empty, expected {}" : FAULTS[printParseErrorCode(first.error)];
  throw jsonFault(text, file, first?.offset ?? 0, `not valid JSON: ${fault ?? "expected a value"}`);
}

/** A fault at a place of the file; nothing was written. */
export function jsonFault(text: string, file: string, offset: number, message: string): AstraError {
  const before = text.slice(0, offset).replace(/^\uFEFF/, "");
  const line = before.split("\n").length;
  const column = before.length - before.lastIndexOf("\n");
  return new AstraError(
    "invalid_input",
    `${file}:${line}:${column} ${message}`,
    "Correct the file, then run this again; nothing was written.",
  );
}

/** Claude Code reads strict JSON only: a comment or a comma too many, and it ignores the whole file. */
export function isStrictJson(text: string): boolean {
  try {
    JSON.parse(text.replace(/^\uFEFF/, ""));
    return true;
  } catch {
    return false;
  }
}

/** The value of a key; of a key given twice the last, as JSON.parse takes it. */
export function memberValue(object: Node | undefined, key: string): Node | undefined {
  return propertyOf(object, key)?.children?.[1];
}

export function propertyOf(object: Node | undefined, key: string): Node | undefined {
  if (object?.type !== "object") return undefined;
  return object.children?.findLast((property) => property.children?.[0]?.value === key);
}

/** The scanner's tokens: its own enum is one that only its own build may read. */
const KIND = { comma: 5, lineComment: 12, blockComment: 13, lineBreak: 14, space: 15 } as const;

/** What stands between two values: the comma, where the comma and comments end, and whether a `//` is the last of them. */
export type Between = { readonly comma: number | null; readonly end: number; readonly endsInLineComment: boolean };

export function tokensAfter(text: string, offset: number): Between {
  const scanner = createScanner(text);
  scanner.setPosition(offset);
  let comma: number | null = null;
  let end = offset;
  let endsInLineComment = false;
  for (;;) {
    const kind: number = scanner.scan();
    if (kind === KIND.space || kind === KIND.lineBreak) continue;
    const isComment = kind === KIND.lineComment || kind === KIND.blockComment;
    const isComma = kind === KIND.comma && comma === null;
    if (!isComment && !isComma) return { comma, end, endsInLineComment };
    if (isComma) comma = scanner.getTokenOffset();
    end = scanner.getTokenOffset() + scanner.getTokenLength();
    endsInLineComment = kind === KIND.lineComment;
  }
}

const FAULTS: Readonly<Record<string, string>> = {
  InvalidSymbol: "an unknown word, expected a value such as true, null, a number or a text in double quotes",
  InvalidNumberFormat: "a number that is none",
  PropertyNameExpected: "expected a key in double quotes",
  ValueExpected: "expected a value",
  ColonExpected: "expected a colon after the key",
  CommaExpected: "expected a comma between the values",
  CloseBraceExpected: "expected a closing }",
  CloseBracketExpected: "expected a closing ]",
  EndOfFileExpected: "expected the end of the file",
  InvalidCommentToken: "a comment that is none",
  UnexpectedEndOfComment: "a comment that does not end",
  UnexpectedEndOfString: "a text that does not end, expected a closing double quote",
  UnexpectedEndOfNumber: "a number that does not end",
  InvalidUnicode: "an escape \\u without four digits",
  InvalidEscapeCharacter: "a backslash before a character that needs none",
  InvalidCharacter: "a control character inside of a text",
};
