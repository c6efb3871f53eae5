// The last line of a test run, in the plain form that any tool can read: "N passed, N failed, N skipped".
import type { Reporter, TestModule } from "vitest/node";

class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const count = { passed: 0, failed: 0, skipped: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const state = test.result().state;
        count[state === "pending" ? "failed" : state] += 1;
      }
      // A file that could not even be loaded has no tests to fail: count the file.
      if (module.state() === "failed" && module.errors().length > 0) count.failed += 1;
    }
    const failed = count.failed + unhandledErrors.length;
    process.on("exit", () => {
      process.stdout.write(`${count.passed} passed, ${failed} failed, ${count.skipped} skipped\n`);
    });
  }
}

// biome-ignore lint/style/noDefaultExport: vitest loads a reporter by its default export.
export default ClosingLine;
