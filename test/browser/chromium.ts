// A real Chromium for the tests of pages: Debian's, or whatever ASTRA_CHROMIUM names; without one they are skipped, aloud.
import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";
import { afterAll, expect, test } from "vitest";

const EXECUTABLE = process.env.ASTRA_CHROMIUM ?? "/usr/bin/chromium";
export const IS_ABSENT = !existsSync(EXECUTABLE);
const MUST_BE_HERE = process.env.CI === "true" && process.platform === "linux";

if (IS_ABSENT) console.warn(`SKIPPED: the tests in a browser (test/browser) need Chromium: ${EXECUTABLE} is not there`);

/** The one test that a file has where there is no Chromium. */
export function expectChromium(): void {
  test("where CI runs on Linux, Chromium is there and nothing below is skipped", () => {
    expect(MUST_BE_HERE && IS_ABSENT).toBe(false);
  });
}

let started: Promise<Browser> | null = null;

/** One for all tests of a file. */
export function browser(): Promise<Browser> {
  // The superuser, as whom CI may run, cannot have Chromium's own sandbox.
  started ??= chromium.launch({ executablePath: EXECUTABLE, chromiumSandbox: process.getuid?.() !== 0 });
  return started;
}

afterAll(async () => (await started)?.close());
