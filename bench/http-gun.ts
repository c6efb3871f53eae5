// The load generator of the HTTP benchmarks, a process of its own: autocannon, told what to send over IPC.
import autocannon from "autocannon";

export type Shot = {
  readonly url: string;
  readonly method: "GET" | "POST";
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly connections: number;
  readonly seconds: number;
  /** Does each request carry an Idempotency-Key of its own? */
  readonly keys: "each" | "none";
};

export type Hits = { readonly perSecond: number; readonly p50: number; readonly p99: number };

let sent = 0;

function fire(shot: Shot): Promise<Hits> {
  const { url, method, headers, body, connections, seconds, keys } = shot;
  const times: number[] = [];
  const setupRequest = (request: { headers?: Record<string, string> }) => ({
    ...request,
    headers: { ...request.headers, "idempotency-key": `key-${process.pid}-${sent++}` },
  });
  const request = { method, headers, ...(body !== null && { body }), ...(keys === "each" && { setupRequest }) };
  return new Promise((resolve, reject) => {
    autocannon({ url, connections, duration: seconds, requests: [request] }, (error, result) => {
      if (error) return reject(error);
      if (result.errors > 0 || result.non2xx > 0)
        return reject(new Error(`${url}: ${result.errors} errors, ${result.non2xx} refusals`));
      const sorted = Float64Array.from(times).sort();
      const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
      resolve({ perSecond: times.length / result.duration, p50: at(0.5), p99: at(0.99) });
    }).on("response", (_client, _status, _bytes, milliseconds: number) => times.push(milliseconds));
  });
}

process.on("message", async (shot: Shot) => {
  try {
    process.send?.({ hits: await fire(shot) });
  } catch (error) {
    process.send?.({ error: String(error) });
  }
});
