// Calls of our own server: JSON in and out, the CSRF token on what writes, faults as they are told to people.

/** A refusal or fault of the server, in its words. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, body: { code?: string; detail?: string; hint?: string; faults?: readonly Fault[] }) {
    const detail = body.detail ?? `The server answered ${status}.`;
    const faults = (body.faults ?? []).map(({ path, message }) => (path === "" ? message : `${path}: ${message}`));
    const untold = faults.filter((fault) => !detail.includes(fault));
    super([detail, ...untold, body.hint].filter(Boolean).join(" "));
    this.status = status;
    this.code = body.code ?? "unknown";
  }
}
type Fault = { readonly path: string; readonly message: string };

/** Who is signed in. */
export type Me = {
  readonly role: "viewer" | "operator" | "owner";
  readonly actor: string;
  readonly workspace_id: string;
  readonly timezone: string;
  readonly version: string;
  readonly csrf_token: string | null;
};

export const mayAct = ({ role }: Me): boolean => role !== "viewer";

let csrf: string | null = null;
let signedOut: () => void = () => {};

/** Called when the server no longer knows us. */
export function onSignedOut(listener: () => void): void {
  signedOut = listener;
}

/** Null where nobody is signed in. */
export async function whoAmI(): Promise<Me | null> {
  try {
    return remembered(await call<Me>("GET", "/auth/session"));
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return null;
    throw error;
  }
}

export async function signIn(key: string): Promise<Me> {
  return remembered(await call<Me>("POST", "/auth/session", undefined, { "x-api-key": key }));
}

export async function signOut(): Promise<void> {
  await call("DELETE", "/auth/session");
  csrf = null;
}

function remembered(me: Me): Me {
  csrf = me.csrf_token;
  return me;
}

export type Params = Readonly<Record<string, string | number | boolean | null | undefined>>;

export async function read<Answer>(path: string, params: Params = {}): Promise<Answer> {
  const answer = await call<Answer>("GET", withParams(path, params)).catch((error) => {
    if (error instanceof Problem && error.status === 401) signedOut();
    throw error;
  });
  return answer;
}

export async function write<Answer>(
  method: "POST" | "PATCH" | "DELETE",
  path: string,
  body?: unknown,
): Promise<Answer> {
  return await call<Answer>(method, path, body);
}

function withParams(path: string, params: Params): string {
  const given = Object.entries(params).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const query = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return query === "" ? path : `${path}?${query}`;
}

async function call<Answer>(
  method: string,
  path: string,
  body?: unknown,
  more: Record<string, string> = {},
): Promise<Answer> {
  const headers: Record<string, string> = { accept: "application/json", ...more };
  if (csrf !== null && method !== "GET") headers["x-csrf-token"] = csrf;
  if (body !== undefined) headers["content-type"] = "application/json";
  const response = await fetch(path, {
    method,
    headers,
    credentials: "same-origin",
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const json = text === "" ? {} : jsonOf(text);
  if (!response.ok) throw new Problem(response.status, json as object);
  return json as Answer;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return { detail: "The answer is no JSON; is something between this page and the server?" };
  }
}
