import { defineConfig } from "vitest/config";

/** Journeys through the built console, in a real browser, against a real server. */
export default defineConfig({
  test: {
    environment: "node",
    include: ["tests/browser/**/*.test.ts"],
    // Each file has a server and a browser of its own; two at a time would only slow each other down.
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // As patient as the waits of the page itself: a busy machine is no fault.
    expect: { poll: { timeout: 15_000 } },
  },
});
