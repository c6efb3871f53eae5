// What `astra-budget serve` is told by its options and the environment, checked.
import { AstraError } from "../core/error.ts";
import type { Values } from "../faces/options.ts";
import type { TokenSettings } from "./tokens.ts";

export type ServeSettings = {
  readonly host: string;
  readonly port: number;
  /** Requests a minute and caller; 0 = no limit. */
  readonly rateLimit: number;
  /** Where clients reach us when a proxy stands in front. */
  readonly publicUrl: URL | null;
  readonly allowedHosts: readonly string[];
  /** `proxy`: the address of a caller is the last one of X-Forwarded-For. */
  readonly addressFrom: "socket" | "proxy";
  readonly sse: "mounted" | "left_out";
  readonly auth: "required" | "insecure_none";
  readonly tokens: TokenSettings;
};

export const SERVE_OPTIONS = {
  host: "text",
  port: "text",
  "rate-limit": "text",
  "public-url": "text",
  "allowed-host": "list",
  "trust-proxy": "flag",
  "no-sse": "flag",
  "insecure-no-auth": "flag",
} as const;

/** Throws `invalid_input` naming the option or variable and what was expected. */
export function serveSettings(values: Values, env: NodeJS.ProcessEnv): ServeSettings {
  const host = textOf(values.host) ?? "127.0.0.1";
  if (!/^[\w.:-]{1,253}$/.test(host)) throw wrongSetting("--host", "expected a host name or address to listen on");
  return {
    host,
    port: numberOf("--port", textOf(values.port) ?? "4747", 0, 65_535),
    rateLimit: rateLimitOf(textOf(values["rate-limit"]), env),
    publicUrl: publicUrlOf(textOf(values["public-url"])),
    allowedHosts: hostsOf((values["allowed-host"] as readonly string[] | undefined) ?? []),
    addressFrom: values["trust-proxy"] === true ? "proxy" : "socket",
    sse: values["no-sse"] === true ? "left_out" : "mounted",
    auth: values["insecure-no-auth"] === true ? "insecure_none" : "required",
    tokens: {
      secret: env.ASTRA_JWT_SECRET || undefined,
      jwksUrl: env.ASTRA_JWKS_URL || undefined,
      issuer: env.ASTRA_JWT_ISSUER || "astra-budget",
      audience: env.ASTRA_JWT_AUDIENCE || "astra-budget",
    },
  };
}

/** Cost Control, "Rate limiting": `OPENCLAW_RATE_LIMIT_RPM`, 100 a minute where nothing is said. */
function rateLimitOf(option: string | undefined, env: NodeJS.ProcessEnv): number {
  if (option !== undefined) return numberOf("--rate-limit", option, 0, 1e9);
  for (const name of ["ASTRA_RATE_LIMIT_RPM", "OPENCLAW_RATE_LIMIT_RPM"]) {
    const value = env[name];
    if (value !== undefined && value !== "") return numberOf(name, value, 0, 1e9);
  }
  return 100;
}

/** Compared without port. */
function hostsOf(names: readonly string[]): readonly string[] {
  const wrong = names.find((name) => !/^([\w.-]{1,253}|\[[\da-fA-F:.]+\])$/.test(name));
  if (wrong !== undefined) throw wrongSetting("--allowed-host", "expected a host name without a port");
  return names;
}

function publicUrlOf(text: string | undefined): URL | null {
  if (text === undefined) return null;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !/^https?:$/.test(url.protocol) || url.pathname !== "/" || url.search !== "")
    throw wrongSetting("--public-url", "expected a URL such as https://budget.example.com");
  return url;
}

function numberOf(name: string, text: string, least: number, most: number): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) throw wrongSetting(name, `expected a whole number, ${least} to ${most}`);
  return value;
}

const textOf = (value: Values[string]): string | undefined => (typeof value === "string" ? value : undefined);

export function wrongSetting(path: string, message: string): AstraError {
  return new AstraError("invalid_input", "wrong arguments", "See astra-budget serve --help.", [{ path, message }]);
}
