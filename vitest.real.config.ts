import { defineConfig } from "vitest/config";

// Comparisons against the shared golden outputs and data sets, which are not part of the repository.
export default defineConfig({
  test: { include: ["test/real/**/*.real.ts"], testTimeout: 120_000, hookTimeout: 120_000, maxWorkers: 2 },
});
