import { defineConfig } from "vitest/config";

const project = (name: string, include: string[], timeout = 20_000) => ({
  test: { name, include, testTimeout: timeout, hookTimeout: timeout },
});

export default defineConfig({
  test: {
    reporters: ["default", "./test/closing-line.ts"],
    projects: [
      project("core", ["test/core/**/*.test.ts", "test/*.test.ts"]),
      project("ledger", ["test/ledger/**/*.test.ts"], 60_000),
      project("operations", ["test/operations/**/*.test.ts"], 60_000),
      project("faces", ["test/faces/**/*.test.ts"], 60_000),
      project("house", ["test/house/**/*.test.ts"], 120_000),
      project("process", ["test/process/**/*.test.ts"], 300_000),
    ],
  },
});
