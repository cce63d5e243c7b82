import { defineConfig } from "vitest/config";

export default defineConfig({
  // Relative addresses, so that the page also opens from a folder below a site's root.
  base: "./",
  server: { port: 9320, strictPort: true, fs: { allow: [".", "../crates/keeper/locales"] } },
  preview: { port: 9321, strictPort: true },
  build: {
    target: "safari17",
    // The page's content security policy knows neither inline scripts nor data: scripts.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
  test: { environment: "happy-dom", include: ["test/**/*.test.{ts,tsx}"], setupFiles: ["test/setup.ts"] },
});
