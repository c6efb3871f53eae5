// An owner forgives what was told of a user.
import { AUDITED, sentence } from "./actions.ts";
import { write } from "./api.ts";
import { confirmed } from "./dialog.ts";
import { fraction } from "./format.ts";

export function resetPrivacy(user: { readonly uid: string; readonly spent: number }): Promise<boolean> {
  return confirmed({
    title: "Reset a user's privacy budget",
    says: [
      sentence(
        "What was spent of the budget of user ",
        user.uid,
        ` (epsilon ${fraction(user.spent)}) is forgiven, and as much again may be told of them.`,
      ),
      "What was told stays told: the promise that the total holds over the user's whole life ends with this. It cannot be undone.",
    ],
    reasonHint: AUDITED,
    confirm: "Reset",
    isDangerous: true,
    run: ({ reason, key }) =>
      write("POST", "/security/dp-budget/reset", { uid: user.uid, reason, idempotency_key: key }),
  });
}
