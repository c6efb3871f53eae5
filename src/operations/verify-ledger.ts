// verify_ledger: check the file, recompute everything derived from charges and holds, and say where they differ.
import { z } from "zod";
import { verifyLedger as verify } from "../ledger/verify.ts";
import { defineOperation } from "./operation.ts";

export const verifyLedger = defineOperation({
  name: "verify_ledger",
  title: "Verify the ledger",
  description:
    "Checks the file, recomputes balances, sums of costs and executions and session totals from charges and holds, and compares.",
  input: z.strictObject({}),
  output: z.looseObject({
    ok: z.boolean(),
    charges: z.number(),
    open_holds: z.number(),
    balances: z.number(),
    differences: z.array(z.looseObject({})),
  }),
  access: "operator",
  effect: "read",
  run: async (context) => {
    const { charges, holds, balances, differences } = await context.ledger.read(verify);
    const damage = (await context.ledger.integrity()).map((line) => ({
      what: "file",
      key: line,
      stored: "",
      computed: "",
    }));
    return {
      ok: differences.length + damage.length === 0,
      charges: Number(charges),
      open_holds: Number(holds),
      balances: Number(balances),
      differences: [...damage, ...differences],
    };
  },
});
