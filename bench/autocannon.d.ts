// The part of autocannon that the load generator uses; the package brings no types of its own.
declare module "autocannon" {
  import type { EventEmitter } from "node:events";

  type Request = { headers?: Record<string, string> };
  type Options = {
    readonly url: string;
    readonly connections: number;
    readonly duration: number;
    readonly requests: readonly {
      readonly method: "GET" | "POST";
      readonly headers: Readonly<Record<string, string>>;
      readonly body?: string;
      readonly setupRequest?: (request: Request) => Request;
    }[];
  };
  type Result = { readonly duration: number; readonly errors: number; readonly non2xx: number };
  function autocannon(options: Options, done: (error: Error | null, result: Result) => void): EventEmitter;
  export = autocannon;
}
