// A request's body: JSON of a bounded length, or the problem that refuses it.
import type { HonoRequest } from "hono";
import { problemOf, problemResponse } from "./problem.ts";

/** In bytes. The longest request that any operation takes is far below this. */
const MOST_BODY = 1_048_576;

/** The JSON of the body, undefined where there is none. What is not JSON never counts as an empty body. */
export async function readBody(
  request: HonoRequest,
): Promise<{ readonly json: unknown } | { readonly refused: Response }> {
  // Who breaks off hears nothing of it, and it is no news for an operator.
  const text = await boundedText(request).catch(() => undefined);
  if (text === undefined) return { refused: problemResponse(problemOf("bad_request", "The body broke off.")) };
  if (text === null) {
    const tooLarge = problemOf("body_too_large", `The body is longer than ${MOST_BODY} bytes.`);
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

/** Null when it is too long. A body without a stated length is counted while it comes. */
async function boundedText(request: HonoRequest): Promise<string | null> {
  const length = request.header("content-length");
  if (length !== undefined) return Number(length) > MOST_BODY ? null : await request.text();
  if (request.header("transfer-encoding") === undefined) return "";
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of request.raw.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MOST_BODY) return null;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
