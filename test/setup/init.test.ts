// `init --for claude-code`: the policy it writes is valid, is not the built-in one, and overwrites nothing.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkPolicyText } from "../../src/config.ts";
import { BUDGET_FIELDS, BUILT_IN_HARD_CAPS } from "../../src/core/budget.ts";
import { effectiveBudget, roleNameOf } from "../../src/core/inheritance.ts";
import { formatUsd } from "../../src/core/money.ts";
import { newRoom } from "../faces/room.ts";

const INIT = ["init", "--for", "claude-code"];

test("it writes a policy that passes the check and lets a session last", async () => {
  const room = newRoom();
  const { code, stdout } = await room.run(INIT);
  expect(code).toBe(0);
  for (const step of ["policy check astra.yml", "install claude-code", "doctor"]) expect(stdout).toContain(step);
  expect((await room.run(["policy", "check", "astra.yml"])).code).toBe(0);
  const { policy } = checkPolicyText(readFileSync(join(room.folder, "astra.yml"), "utf8"), "astra.yml");
  const { budget } = effectiveBudget(policy, "claude-code", roleNameOf(policy, "claude-code", null), {}, null);
  for (const field of BUDGET_FIELDS.filter((each) => each !== "maxSpawnDepth"))
    expect(budget[field], field).toBeGreaterThan(BUILT_IN_HARD_CAPS[field]);
  expect(formatUsd(budget.maxCostCents)).toBe("$10.00");
  expect(budget.maxDuration).toBe(72n * 3_600_000n);
});

test("every built-in figure it names is the one that is built in", async () => {
  const room = newRoom();
  await room.run(INIT);
  const text = readFileSync(join(room.folder, "astra.yml"), "utf8");
  for (const field of BUDGET_FIELDS) {
    const named = new RegExp(`${field}: \\d+ .*\\(built-in: ([$\\d.,]+)\\)`).exec(text)?.[1]?.replaceAll(",", "");
    if (field === "maxDuration" || field === "maxSpawnDepth") continue;
    const value = BUILT_IN_HARD_CAPS[field];
    expect(named, field).toBe(field === "maxCostCents" ? formatUsd(value) : String(value));
  }
});

test("its days begin where the user is", async () => {
  const room = newRoom();
  await room.run(INIT, { env: { TZ: "America/New_York" } });
  expect(readFileSync(join(room.folder, "astra.yml"), "utf8")).toContain("timezone: America/New_York ");
});

test("a file that is there is not overwritten; another name is the way out", async () => {
  const room = newRoom("workspace: {id: mine}\n");
  const refused = await room.run(INIT);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain("astra.yml is there already; nothing was written");
  expect(refused.stderr).toContain("--out FILE");
  expect(readFileSync(join(room.folder, "astra.yml"), "utf8")).toBe("workspace: {id: mine}\n");
  const { stdout } = await room.run([...INIT, "--out", "claude.yml"]);
  expect(stdout).toContain("install claude-code --config claude.yml");
});

test.each([
  [["init"], "--for: expected claude-code"],
  [["init", "--for", "cursor"], '--for: expected claude-code, found "cursor"'],
  [[...INIT, "--out", "no/such/astra.yml"], "--out: expected a file in a folder that is there"],
])("%j is refused with what was expected", async (args, message) => {
  const room = newRoom();
  const { code, stderr } = await room.run(args);
  expect(code).toBe(2);
  expect(stderr).toContain(message);
  expect(existsSync(join(room.folder, "astra.yml"))).toBe(false);
});
