// A request's body: JSON of a bounded length, or the problem that refuses it.
import type { HonoRequest } from "hono";
import { boundedText, MOST_BODY_BYTES } from "../bounded-body.ts";
import { problemOf, problemResponse } from "./problem.ts";

/** The JSON of the body, undefined where there is none. What is not JSON never counts as an empty body. */
export async function readBody(
  request: HonoRequest,
): Promise<{ readonly json: unknown } | { readonly refused: Response }> {
  // Who breaks off hears nothing of it, and it is no news for an operator.
  const text = await textOf(request).catch(() => undefined);
  if (text === undefined) return { refused: problemResponse(problemOf("bad_request", "The body broke off.")) };
  if (text === null) {
    const tooLarge = problemOf("body_too_large", `The body is longer than ${MOST_BODY_BYTES} bytes.`);
    // The rest of it is not read: the connection cannot be used again.
    return { refused: problemResponse(tooLarge, { connection: "close" }) };
  }
  if (text === "") return { json: undefined };
  if (!/^application\/json\s*(;|$)/i.test(request.header("content-type") ?? ""))
    return {
      refused: problemResponse(problemOf("unsupported_media_type", "Send JSON, with Content-Type: application/json.")),
    };
  try {
    return { json: JSON.parse(text) };
  } catch {
    return { refused: problemResponse(problemOf("invalid_json", "The body is not JSON.")) };
  }
}

/** Null when it is too long. Of a stated length the adapter reads it quickest; it never gives more than was stated. */
async function textOf(request: HonoRequest): Promise<string | null> {
  const length = request.header("content-length");
  if (length !== undefined) return Number(length) > MOST_BODY_BYTES ? null : await request.text();
  if (request.header("transfer-encoding") === undefined) return "";
  return await boundedText(length, request.raw.body);
}
