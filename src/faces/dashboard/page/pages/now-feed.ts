// Every charge as it comes, the newest above, with the verdict that its session stands under since.
import { el, name, put } from "../dom.ts";
import { compact } from "../format.ts";
import { agentLink, mark, usd } from "../marks.ts";
import type { FeedCharge } from "../now-state.ts";
import type { PageContext } from "../page.ts";
import { dataTable } from "../table.ts";
import type { Part } from "./now.ts";

export function feedPart({ clock }: PageContext): Part {
  const more = el("p", { class: "hint" });
  const table = dataTable<FeedCharge>({
    caption: "Newest charges",
    keyOf: ({ charge_id }) => charge_id,
    empty: "No charge yet. They appear here within a second of their report.",
    csv: true,
    columns: [
      { title: "Time", value: ({ recorded_at }) => recorded_at, cell: ({ recorded_at }) => clock.time(recorded_at) },
      { title: "Agent", value: ({ agent_id }) => agent_id, cell: ({ agent_id }) => agentLink(agent_id) },
      { title: "Task", value: ({ task_id }) => task_id, cell: ({ task_id }) => name(task_id) },
      {
        title: "Model or tool",
        value: ({ model, tool }) => tool ?? model,
        cell: ({ model, tool }) => name(tool ?? model),
      },
      {
        title: "Tokens in",
        kind: "number",
        value: ({ input_tokens }) => input_tokens,
        cell: ({ input_tokens }) => compact(input_tokens),
      },
      {
        title: "Tokens out",
        kind: "number",
        value: ({ output_tokens }) => output_tokens,
        cell: ({ output_tokens }) => compact(output_tokens),
      },
      { title: "Cost", kind: "number", value: ({ cost_usd }) => cost_usd, cell: ({ cost_usd }) => usd(cost_usd) },
      { title: "Verdict", value: ({ decision }) => decision, cell: verdict },
    ],
  });
  return {
    element: el(
      "section",
      { "aria-labelledby": "feed" },
      el("h2", { id: "feed" }, "Charges as they come"),
      table.element,
      more,
    ),
    of: ["feed", "feed_hidden", "feed_left_out"],
    show({ feed, feed_hidden, feed_left_out }) {
      table.update(feed.toReversed());
      if (feed_hidden) put(more, "Single charges are not shown to viewers while the privacy budget is on.");
      else put(more, feed_left_out > 0 ? `${feed_left_out} charges came faster than they can be shown.` : null);
    },
  };
}

function verdict({ decision, late, failed }: FeedCharge): HTMLElement {
  const words = [decision ?? "ended", ...(late ? ["late"] : []), ...(failed ? ["failed"] : [])];
  return el("span", {}, ...words.flatMap((word) => [mark(word), " "]));
}
