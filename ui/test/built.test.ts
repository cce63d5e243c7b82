// @vitest-environment node
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { overviewOf, sessionOf } from "./page.tsx";

const FAKE = join(import.meta.dirname, "../fake");
const SHOWN = overviewOf(sessionOf());
const SETTINGS = {
  theme: "system",
  language: "en",
  system_language: "en",
  zoom: 100,
  profile: null,
  tab: null,
};
const place = mkdtempSync(join(tmpdir(), "pilotlight-ui-"));

beforeAll(async () => {
  await build({ logLevel: "error", build: { outDir: place, emptyOutDir: true } });
}, 60_000);

afterAll(() => rmSync(place, { recursive: true }));

test("the built page has nothing inline that its content security policy forbids", () => {
  const html = readFileSync(join(place, "index.html"), "utf8");
  expect(html).not.toMatch(/<style|style=|<script(?![^>]*\ssrc=)|\son\w+=|https?:/);
  const scripts = readdirSync(join(place, "assets")).filter((name) => name.endsWith(".js"));
  expect(scripts.length).toBeGreaterThan(0);
  for (const name of scripts) {
    expect(readFileSync(join(place, "assets", name), "utf8")).not.toMatch(/\beval\(|new Function\(/);
  }
  const css = readdirSync(join(place, "assets")).filter((name) => name.endsWith(".css"));
  for (const name of css)
    expect(readFileSync(join(place, "assets", name), "utf8")).not.toMatch(/url\(|@import/);
});

test("the built page has nothing of the simulated sessions", () => {
  const traces = ["wonderland", "WDJB-MJHT", "Marta Lindqvist", "partner-portal", "signed-in", "?scene="];
  const simulated = readdirSync(FAKE).map((name) => readFileSync(join(FAKE, name), "utf8"));
  const built = readdirSync(place, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"));
  for (const trace of traces.slice(0, -1)) {
    expect(simulated.some((text) => text.includes(trace))).toBe(true);
  }
  for (const trace of traces) expect(built.filter((text) => text.includes(trace))).toEqual([]);
});

test("the built page starts with Object.prototype frozen, as the window freezes it", () => {
  const entry = readdirSync(join(place, "assets")).find((name) => /^index-.*\.js$/.test(name));
  const script = `
    import { Window } from ${JSON.stringify(import.meta.resolve("happy-dom"))};
    const window = new Window({ url: "tauri://localhost/" });
    window.__TAURI_INTERNALS__ = {
      transformCallback: () => 1,
      invoke: async (command) => ({ overview: ${JSON.stringify(SHOWN)}, settings: ${JSON.stringify(SETTINGS)} })[command],
    };
    for (const name of ["document", "location", "HTMLElement", "Element", "Node", "SVGElement", "ResizeObserver",
      "requestAnimationFrame", "cancelAnimationFrame"]) globalThis[name] = window[name];
    globalThis.window = globalThis;
    globalThis.__TAURI_INTERNALS__ = window.__TAURI_INTERNALS__;
    Object.defineProperty(globalThis, "navigator", { value: window.navigator, configurable: true });
    window.document.body.innerHTML = '<div id="app"></div>';
    window.document.head.innerHTML = '';
    Object.freeze(Object.prototype);
    await import("./assets/${entry}");
    await new Promise((done) => setTimeout(done, 300));
    process.stdout.write(window.document.body.textContent);
    process.exit(0);
  `;
  writeFileSync(join(place, "package.json"), '{"type":"module"}');
  writeFileSync(join(place, "run.js"), script);
  const text = execFileSync(process.execPath, [join(place, "run.js")], { encoding: "utf8", timeout: 20_000 });
  expect(text).toContain("Signed in, and staying so");
});
