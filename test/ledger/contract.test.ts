// The ledger's contract: the same steps over SQLite in memory, SQLite in a file and Postgres.
import { afterAll, afterEach, beforeAll, beforeEach, describe } from "vitest";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { engines } from "./engines.ts";
import { authoritySteps } from "./steps/authority.ts";
import { chargeListSteps } from "./steps/charge-list.ts";
import { chargeSteps } from "./steps/charges.ts";
import { costSteps } from "./steps/costs.ts";
import { executionSteps } from "./steps/executions.ts";
import { holdSteps } from "./steps/holds.ts";
import { incidentSteps } from "./steps/incidents.ts";
import { manyChargesSteps } from "./steps/many-charges.ts";
import { privacySteps } from "./steps/privacy.ts";
import { sessionSteps } from "./steps/sessions.ts";
import { transactionSteps } from "./steps/transactions.ts";
import { verifySteps } from "./steps/verify.ts";

describe.each(engines())("$name", (engine) => {
  let ledger: Ledger;
  const current = () => ledger;
  // The first opening starts the engine, which may take Postgres several seconds.
  beforeAll(async () => (await engine.make()).close());
  beforeEach(async () => {
    ledger = await engine.make();
  });
  afterEach(() => ledger.close());
  afterAll(() => engine.clear());

  describe("transactions", () => transactionSteps(engine, current));
  describe("sessions", () => sessionSteps(current));
  describe("charges", () => chargeSteps(current));
  describe("many charges at once", () => manyChargesSteps(current));
  describe("balances, holds, stops and tasks", () => holdSteps(current));
  describe("keys, grants, team limits, audit and answers", () => authoritySteps(current));
  describe("incidents, paces and webhooks", () => incidentSteps(current));
  describe("charges by the page", () => chargeListSteps(current));
  describe("costs", () => costSteps(current));
  describe("executions", () => executionSteps(current));
  describe("users and the privacy budget", () => privacySteps(current));
  describe("verify", () => verifySteps(current));
});
