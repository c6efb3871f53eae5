// Finds the real Chromium before the browser's tests, Debian's or the one named; without it they are skipped, aloud.
import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const PLACES = ["/usr/bin/chromium", "/usr/bin/google-chrome"];

/** The browser's executable; "" = it is not here. */
export const CHROMIUM = find();

function find(): string {
  const given = process.env.ASTRA_CHROMIUM;
  return (given === undefined ? PLACES : [given]).find((place) => existsSync(place)) ?? "";
}

/** Before the first file of the project. */
export function setup(): void {
  if (CHROMIUM === "")
    console.warn("SKIPPED: the tests in a browser (test/browser) need Chromium: apt-get install chromium");
}

/** Headless, and without a network beyond this machine. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    // The superuser, as whom CI may run, cannot have Chromium's own sandbox.
    chromiumSandbox: process.getuid?.() !== 0,
    args: ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
  });
}
