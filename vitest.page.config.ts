import { defineConfig } from "vitest/config";

/** What runs in a browser: npm run test:page, after npm run build. */
export default defineConfig({
  test: {
    include: ["test/page/*.page.ts"],
    globalSetup: "test/bundleWorker.ts",
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});
