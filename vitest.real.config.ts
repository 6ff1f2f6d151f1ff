import { defineConfig } from "vitest/config";

// Comparisons against the shared golden outputs and data sets, which are not part of the repository.
export default defineConfig({
  test: {
    include: ["test/real/**/*.real.ts"],
    globalSetup: "test/bundleWorker.ts",
    testTimeout: 600_000,
    hookTimeout: 600_000,
    maxWorkers: 2,
  },
});
