// A charge as lists tell it to everybody who may see it.
import { usdFromNano } from "../core/money.ts";
import type { ListedCharge } from "../ledger/charge-list.ts";
import { instantOut } from "./output.ts";

/** Nothing that a viewer must not see is in it: neither the user nor what an agent wrote of an error. */
export function chargeLine(charge: ListedCharge) {
  return {
    charge_id: charge.id,
    session_id: charge.session_id,
    agent_id: charge.agent_id,
    task_id: charge.task_id,
    model: charge.model,
    provider: charge.provider,
    tool: charge.tool,
    tools: charge.lines.map(({ tool, calls, cost }) => ({ tool, calls: Number(calls), cost_usd: usdFromNano(cost) })),
    occurred_at: instantOut(Number(charge.occurred_at)),
    recorded_at: instantOut(Number(charge.recorded_at)),
    input_tokens: Number(charge.input_tokens),
    output_tokens: Number(charge.output_tokens),
    cost_usd: usdFromNano(charge.cost_nano_usd),
    source: charge.source,
    metered_by: charge.metered_by,
    late: charge.late === 1n,
    failed: charge.error !== null,
  };
}
