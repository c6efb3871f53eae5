// Metrics in Prometheus's text format: decisions, requests and their times, and every limit with what stands against it.
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { listLimits } from "../operations/list-limits.ts";
import { type Context, invoke, type Principal } from "../operations/operation.ts";

export type Metrics = {
  /** An operation was answered. */
  decided(workspaceId: string, operation: string, answer: unknown): void;
  /** `route` is a path of ours, never one that a caller made up. */
  requested(route: string, method: string, status: number, seconds: number): void;
  rateLimited(): void;
  /** What the caller may see: the limits of its workspace, its decisions, and the server's own times. */
  text(context: Context, principal: Principal): Promise<string>;
};

/** Of several workspaces only an owner sees what the server does for all of them. */
export function metricsOf(version: string, workspaces: number): Metrics {
  const server = new Registry();
  const requests = new Histogram({
    name: "astra_http_request_duration_seconds",
    help: "Time from a request's head to its answer's.",
    labelNames: ["route", "method", "status"],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
    registers: [server],
  });
  const limited = new Counter({
    name: "astra_rate_limited_total",
    help: "Requests refused by the rate limiter.",
    registers: [server],
  });
  new Gauge({ name: "astra_info", help: "The version.", labelNames: ["version"], registers: [server] }).set(
    { version },
    1,
  );
  new Gauge({
    name: "process_resident_memory_bytes",
    help: "Resident memory size in bytes.",
    registers: [server],
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  const decisions = new Map<string, { registry: Registry; counter: Counter<"operation" | "decision"> }>();
  const decisionsOf = (workspaceId: string) => {
    const known = decisions.get(workspaceId);
    if (known) return known;
    const registry = new Registry();
    const counter = new Counter({
      name: "astra_decisions_total",
      help: "Verdicts by operation and decision.",
      labelNames: ["operation", "decision"],
      registers: [registry],
    });
    decisions.set(workspaceId, { registry, counter });
    return { registry, counter };
  };
  return {
    decided(workspaceId, operation, answer) {
      const decision = (answer as { verdict?: { decision?: string } }).verdict?.decision;
      if (decision !== undefined) decisionsOf(workspaceId).counter.inc({ operation, decision });
    },
    requested: (route, method, status, seconds) => requests.observe({ route, method, status }, seconds),
    rateLimited: () => limited.inc(),
    text: async (context, principal) => {
      const limits = await limitsOf(context, principal);
      const own = decisionsOf(context.policy.workspace.id).registry;
      const isForAll = workspaces === 1 || principal.kind === "owner";
      const parts = isForAll ? [server, own, limits] : [own, limits];
      return (await Promise.all(parts.map((part) => part.metrics()))).join("\n");
    },
  };
}

export const METRICS_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

type LimitLine = {
  scope: string;
  scope_id: string;
  window: string;
  measure: string;
  limit: number | null;
  spent: number;
  held: number;
};

/** Read when asked: the ledger knows, and other processes write to it too. */
async function limitsOf(context: Context, principal: Principal): Promise<Registry> {
  const registry = new Registry();
  const labelNames = ["scope", "scope_id", "window", "measure"] as const;
  const gauge = (name: string, help: string) => new Gauge({ name, help, labelNames, registers: [registry] });
  const limit = gauge("astra_limit", "The limit: dollars for cost_usd, else tokens or calls.");
  const spent = gauge("astra_spent", "What is spent of it in the present window.");
  const held = gauge("astra_held", "What is set aside of it now.");
  const answer = await invoke(listLimits, context, principal, {});
  for (const line of answer.limits as LimitLine[]) {
    const labels = { scope: line.scope, scope_id: line.scope_id, window: line.window, measure: line.measure };
    if (line.limit !== null) limit.set(labels, line.limit);
    spent.set(labels, line.spent);
    held.set(labels, line.held);
  }
  return registry;
}
