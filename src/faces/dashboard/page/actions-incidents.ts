// What an operator does with incidents: notes that they were seen, and sends their messages again.
import { AUDITED } from "./actions.ts";
import { write } from "./api.ts";
import { confirmed } from "./dialog.ts";
import { el, name } from "./dom.ts";
import type { Incident } from "./now-state.ts";

export function acknowledge(incident: Incident): Promise<boolean> {
  return confirmed({
    title: "Acknowledge this incident",
    says: [
      el("p", {}, name(incident.message)),
      incident.stop_id === null
        ? "It is marked as seen for all operators; nothing else changes."
        : "It is marked as seen for all operators. The stop it made stays until you resume.",
    ],
    reasonLabel: "Note (may be empty)",
    reasonHint: "What came of it, for colleagues. Agents never see it; it is written into the audit.",
    isReasonOptional: true,
    confirm: "Acknowledge",
    run: ({ reason }) =>
      write("PATCH", `/api/v1/incidents/${incident.incident_id}`, reason === "" ? {} : { note: reason }),
  });
}

export type Delivery = {
  readonly delivery_id: string;
  readonly webhook_id: string;
  readonly incident_id: string;
  readonly state: string;
  readonly attempts: number;
  readonly last_result: string | null;
  readonly next_attempt_at: string | null;
  readonly created_at: string;
  readonly updated_at: string;
};

export function sendAgain(delivery: Delivery): Promise<boolean> {
  return confirmed({
    title: "Send this message again",
    says: [
      el("p", {}, "The message to webhook ", name(delivery.webhook_id), " becomes due at once. Its id stays the same."),
      "A receiver that took it before may see it twice.",
    ],
    reasonHint: AUDITED,
    confirm: "Send again",
    run: ({ reason }) => write("POST", `/api/v1/webhooks/deliveries/${delivery.delivery_id}/redeliver`, { reason }),
  });
}
