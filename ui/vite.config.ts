import { svelte } from "@sveltejs/vite-plugin-svelte";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** Where `npm run dev` finds a running `weir serve`. */
const api = process.env.WEIR_API ?? "http://127.0.0.1:8787";

export default defineConfig({
  plugins: [svelte()],
  // Relative addresses: the same build is served by the desktop window, by `weir serve` and from a folder.
  base: "./",
  clearScreen: false,
  resolve: {
    alias: { $lib: fileURLToPath(new URL("./src/lib", import.meta.url)) },
    // Component tests mount in a browser-like environment, so they need Svelte's client build.
    conditions: process.env.VITEST ? ["browser"] : undefined,
  },
  server: {
    host: "127.0.0.1",
    port: 5173,
    strictPort: true,
    // The host stays as the browser named it: a session is for pages of the server's own name and port.
    proxy: { "/v1": { target: api }, "/console": { target: api } },
  },
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: ["chrome111", "safari16.4"],
    // The policy of the desktop window allows no data: scripts or fonts; keep every asset a file.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.ts"],
  },
});
