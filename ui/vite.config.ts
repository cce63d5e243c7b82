import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [signalsUnderFrozenPrototype()],
  // What is bundled beforehand would not pass the plugin.
  optimizeDeps: { exclude: ["@preact/signals-core", "@preact/signals"] },
  // In a plain browser there is no program around the page, so one is simulated there, and nowhere else.
  server: { port: 9320, strictPort: true, open: "/fake/", fs: { allow: [".", "../crates/api/locales"] } },
  preview: { port: 9321, strictPort: true },
  build: {
    target: "safari18",
    // The page's content security policy knows neither inline scripts nor data: scripts.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
  test: { environment: "happy-dom", include: ["test/**/*.test.{ts,tsx}"], setupFiles: ["test/setup.ts"] },
});

/**
 * The window freezes `Object.prototype`, and then nothing can be assigned over what it holds: the signals'
 * `Signal.prototype.toString = …` would throw as the page loads. Defined properties are not assigned ones.
 */
function signalsUnderFrozenPrototype(): Plugin {
  return {
    name: "signals-under-frozen-prototype",
    transform(code, id) {
      if (!id.includes("/@preact/signals-core/")) return null;
      let found = 0;
      const changed = code.replace(
        /\b(\w+)\.prototype\.(toString|valueOf)\s*=\s*(function\s*\(\)\s*\{[^{}]*\})/g,
        (_, type: string, name: string, method: string) => {
          found += 1;
          return `Object.defineProperty(${type}.prototype,"${name}",{value:${method},writable:true,configurable:true})`;
        },
      );
      if (found !== 2)
        this.error("@preact/signals-core assigns to its prototypes in another way than it did.");
      return { code: changed, map: null };
    },
  };
}
