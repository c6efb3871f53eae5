import { defineConfig } from "vitest/config";

const project = (name: string, include: string[], timeout = 20_000) => ({
  test: { name, include, testTimeout: timeout, hookTimeout: timeout },
});

/** One file after another, and never beside other tests: eight processes at a time are enough for two cores. */
const alone = { fileParallelism: false, sequence: { groupOrder: 1 } } as const;

/** Tests that keep one core busy and wait for nobody: two files at a time. */
const paired = (...args: Parameters<typeof project>) => ({
  test: { ...project(...args).test, maxWorkers: 2, sequence: { groupOrder: 4 } },
});

/** Tests that start the real command, for which dist/ is built first. */
const built = (...args: Parameters<typeof project>) => ({
  test: { ...project(...args).test, globalSetup: ["./test/build.ts"] },
});

/** Tests that start the real client too, which is looked for once. */
const endToEnd = {
  test: {
    ...project("e2e", ["test/e2e/**/*.test.ts"], 120_000).test,
    globalSetup: ["./test/build.ts", "./test/e2e/real-claude.ts"],
    ...alone,
    sequence: { groupOrder: 2 },
  },
};

/** Tests of the pages in a real Chromium, which is looked for once. */
const inBrowser = {
  test: {
    ...project("browser", ["test/browser/**/*.test.ts"], 120_000).test,
    globalSetup: ["./test/build.ts", "./test/browser/real-chromium.ts"],
    // Two at a time, never beside other tests: what they wait for is due within a second.
    maxWorkers: 2,
    sequence: { groupOrder: 3 },
  },
};

export default defineConfig({
  test: {
    reporters: ["default", "./test/closing-line.ts"],
    projects: [
      paired("core", ["test/core/**/*.test.ts", "test/*.test.ts"]),
      paired("ledger", ["test/ledger/**/*.test.ts"], 60_000),
      paired("operations", ["test/operations/**/*.test.ts"], 60_000),
      project("meters", ["test/meters/**/*.test.ts"], 60_000),
      built("faces", ["test/faces/**/*.test.ts"], 60_000),
      built("setup", ["test/setup/**/*.test.ts"], 60_000),
      built("house", ["test/house/**/*.test.ts"], 120_000),
      { test: { ...built("process", ["test/process/**/*.test.ts"], 300_000).test, ...alone } },
      endToEnd,
      inBrowser,
    ],
  },
});
