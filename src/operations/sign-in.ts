// Who signed in with a browser, and out again: a line of the audit each.
import { z } from "zod";
import { recordChange } from "./audit.ts";
import { ourId } from "./input.ts";
import { defineOperation } from "./operation.ts";

export const recordSignIn = defineOperation({
  name: "record_sign_in",
  title: "Record a sign-in",
  description: "Notes in the audit that a browser signed in with a key, or signed out.",
  input: z.strictObject({
    action: z.enum(["sign_in", "sign_out"]),
    key_id: ourId("key"),
    browser: z.string().regex(/^[0-9a-f]{12}$/),
  }),
  output: z.looseObject({}),
  access: "viewer",
  effect: "write",
  run: (context, principal, { action, key_id, browser }) =>
    context.ledger.write(function* () {
      const [before, after] = action === "sign_in" ? [null, { browser }] : [{ browser }, null];
      yield* recordChange(context, principal, { action, target: `key ${key_id}`, before, after });
      return {};
    }),
});
