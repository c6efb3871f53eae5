// A browser as tests play it: what it has after somebody signed in, and what it sends by itself.
import { type Caller, callerAt, type Reply, type ServerRoom } from "./server-room.ts";

export type Browser = Caller & {
  /** `astra_session=…` */
  readonly cookie: string;
  readonly csrf: string;
  /** As our own page asks: the cookie, the origin and the token. */
  readonly page: Caller;
  readonly answer: Reply;
};

/** Signs in with a key. The browser itself sends the cookie and no more. */
export async function signIn({ url }: Pick<ServerRoom, "url">, key: string): Promise<Browser> {
  const answer = await callerAt(url, { "x-api-key": key }).post("/auth/session");
  const cookie = answer.headers.get("set-cookie")?.split(";")[0] ?? "";
  const csrf = String(answer.body.csrf_token);
  const page = callerAt(url, {
    cookie,
    origin: url.origin,
    "sec-fetch-site": "same-origin",
    "x-csrf-token": csrf,
  });
  return { ...callerAt(url, { cookie }), cookie, csrf, page, answer };
}
