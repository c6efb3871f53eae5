// One real Chromium for all tests of a file, and the test that it is there.
import type { Browser } from "playwright-core";
import { afterAll, expect, test } from "vitest";
import { CHROMIUM, launchChromium } from "./real-chromium.ts";

export const IS_ABSENT = CHROMIUM === "";
const MUST_BE_HERE = process.env.CI === "true" && process.platform === "linux";

/** The one test that a file has where there is no Chromium. */
export function expectChromium(): void {
  test("where CI runs on Linux, Chromium is there and nothing below is skipped", () => {
    expect(MUST_BE_HERE && IS_ABSENT).toBe(false);
  });
}

let started: Promise<Browser> | null = null;

export function browser(): Promise<Browser> {
  started ??= launchChromium();
  return started;
}

afterAll(async () => (await started)?.close());
