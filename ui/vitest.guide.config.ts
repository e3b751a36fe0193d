import { defineConfig } from "vitest/config";

/** The pages for programmers: every program on them, against a real server. */
export default defineConfig({
  test: {
    environment: "node",
    include: ["tests/guide/**/*.test.ts"],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
