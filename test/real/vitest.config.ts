import { defineConfig } from "vitest/config";

/** Tests that need real devices or data, run by name: npx vitest run --config test/real/vitest.config.ts webgpu */
export default defineConfig({
  test: { include: ["test/real/**/*.real.ts"], testTimeout: 600_000, hookTimeout: 600_000, maxWorkers: 1 },
});
