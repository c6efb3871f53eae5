// The body of a request over HTTP, up to the length that any request of ours may have.

/** In bytes. A report is a few hundred; the longest valid request stays far below this. */
export const MOST_BODY_BYTES = 1_048_576;

/** Its text, null when it is too long: then the rest is not read. Rejects when the body breaks off. */
export async function boundedText(
  contentLength: string | null | undefined,
  body: AsyncIterable<Uint8Array> | null,
): Promise<string | null> {
  if (Number(contentLength) > MOST_BODY_BYTES) return null;
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  // One that does not say how long it is, is counted while it comes.
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MOST_BODY_BYTES) return null;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
