// The window itself: its languages and looks, what it remembers, that there is one of it, and that all can use it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { activeProcess, minimize } from "./display.mjs";
import { Stage } from "./stage.mjs";
import { until } from "./webdriver.mjs";

test("the window fits its person", { timeout: 180_000 }, async (t) => {
  const stage = await Stage.set(t);
  const url = await stage.sandbox("30s");
  let page = await stage.open();
  await stage.add("Sandbox", "heartbeat", `${url}/heartbeat`);
  await stage.add("Partner portal", "simplejwt", `${url}/simplejwt`);
  await stage.login("Sandbox");
  await page.click('[data-testid="session-Sandbox"]');
  await until("the session is fresh", () => page.count('[data-testid="phase"][data-phase="Fresh"]'));

  await t.test("nothing is wider than a narrow window", async () => {
    await page.resize(640, 700);
    await until("it is narrow", async () => (await page.run("return innerWidth")) === 640);
    for (const show of EVERYTHING) {
      await page.click(`[data-testid="${show}"]`);
      const { scroll, client } = await page.run(
        "const { scrollWidth: scroll, clientWidth: client } = document.documentElement; return { scroll, client }",
      );
      assert(scroll <= client, `${show}: ${scroll} > ${client}`);
    }
    await page.resize(1080, 760);
  });

  await t.test("everybody can use it", async () => {
    const axe = readFileSync(new URL("../../ui/node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
    await page.run(axe);
    for (const theme of ["light", "dark"]) {
      await set(page, { theme });
      for (const show of EVERYTHING) {
        await page.click(`[data-testid="${show}"]`);
        await settle(page);
        assert.deepEqual(await violations(page), [], `${theme}, ${show}`);
      }
      await page.click('[data-testid="settings"]');
      await settle(page);
      assert.deepEqual(await violations(page), [], `${theme}, settings`);
      await page.click('[data-testid="close"]');
    }
  });

  await t.test("the keyboard is enough", async () => {
    await page.click('[data-testid="session-Sandbox"]');
    await page.run(`document.querySelector('[data-testid="tab-overview"]').focus()`);
    await page.keys(ARROW_RIGHT);
    await until("the next tab", () => page.count('[data-testid="tab-data"][aria-selected="true"]'));
    await page.keys(TAB, TAB);
    await until("what it holds", () => page.run(`return document.activeElement.closest("#panel") !== null`));
    await page.keys(ENTER);
    await until("data", () => page.count('[data-testid="answer"][data-status="200"]'));
    const ring = await page.run(
      "const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement); return [outlineStyle, outlineWidth]",
    );
    assert(ring[0] !== "none" && Number.parseFloat(ring[1]) >= 2, `where the focus is can be seen: ${ring}`);
  });

  await t.test("an apostrophe is as narrow as it should be", async () => {
    const [apostrophe, quote] = await widths(page, "\u2019", "\u201c");
    assert(apostrophe < 10 && quote < 12, `${apostrophe}, ${quote}`);
  });

  await t.test("it can be made larger and smaller by keys, and stays so", async () => {
    const width = () => page.run("return innerWidth");
    const before = await width();
    await page.chord(CONTROL, "+");
    await until("everything is larger", async () => Math.abs((await width()) - before / 1.1) < 4);
    await until("it is kept", async () => /"zoom": 110/.test(stage.files()));
    await stage.close(page);
    page = await stage.open();
    await until("it is as large", async () => Math.abs((await width()) - before / 1.1) < 4);
    await page.chord(CONTROL, "0");
    await until("everything is as it was", async () => (await width()) === before);
    await page.chord(CONTROL, "-");
    await until("everything is smaller", async () => Math.abs((await width()) - before / 0.9) < 4);
    await page.chord(CONTROL, "0");
    await until("everything is as it was again", async () => (await width()) === before);
  });

  await t.test("Chinese and dark are remembered, and so is what was open", async () => {
    await set(page, { theme: "dark", language: "zh-CN" });
    await page.click('[data-testid="tab-timeline"]');
    await until("it is kept", async () => /"tab": "timeline"/.test(stage.files()));
    await stage.close(page);
    page = await stage.open();
    await until("the session is there", () => page.count('[data-testid="phase"]'));
    assert.equal(await page.run("return document.documentElement.lang"), "zh-CN");
    assert.equal(await page.run("return document.documentElement.dataset.theme"), "dark");
    assert.match(await page.text('[data-testid="add"]'), /[\u4e00-\u9fff]/);
    assert.equal(await page.attribute('[data-testid="tab-timeline"]', "aria-selected"), "true");
    assert.equal(await page.attribute('[data-testid="session-Sandbox"]', "aria-current"), "page");
    const [red, green, blue] = (await page.run("return getComputedStyle(document.body).backgroundColor")).match(/\d+/g);
    assert(Number(red) + Number(green) + Number(blue) < 200, "it is dark");
    const [sign, quote, apostrophe] = await widths(page, "\u767b", "\u201c", "\u2019");
    assert(Math.abs(sign - 20) < 1, `there is a font for it: ${sign}`);
    assert(Math.abs(quote - 20) < 1, `its quotation marks are Chinese: ${quote}`);
    assert(apostrophe < 10, `an apostrophe is Latin: ${apostrophe}`);
  });

  await t.test("a second start shows the first window and ends", async () => {
    const [window] = stage.windows();
    await minimize(window);
    await until("it is out of sight", async () => (await activeProcess()) !== window);
    assert.equal(await stage.startAgain(), 0);
    assert.deepEqual(stage.windows(), [window]);
    await until("it is in front", async () => (await activeProcess()) === window);
    await until("it is seen", () => page.run("return document.visibilityState === 'visible' && document.hasFocus()"));
  });

  await t.test("the page stays the page", async () => {
    await page.run(`location.href = "https://example.com/"; window.open("https://example.com/")`);
    await page.run(`const link = document.createElement("a"); link.href = "data:text/html,hello"; document.body.append(link); link.click()`);
    await until("it is still there", () => page.count('[data-testid="phase"]'));
    assert.match(await page.run("return location.href"), /^tauri:\/\/localhost/);
    const reached = await page.runAsync(
      `const done = arguments[arguments.length - 1];
       fetch(arguments[0]).then(() => done("reached"), () => done("kept in"))`,
      `${url}/heartbeat/api/heartbeat`,
    );
    assert.equal(reached, "kept in", "the page has no network of its own");
    assert.equal(await page.run("return typeof window.__TAURI__"), "undefined");
    assert.equal(await page.run("return Object.isFrozen(Object.prototype)"), true);
  });

  await t.test("the page can call nothing but its commands", async () => {
    const call = (command, options) =>
      page.runAsync(
        `const done = arguments[arguments.length - 1];
         window.__TAURI_INTERNALS__.invoke(arguments[0], arguments[1]).then(
           () => done("allowed"), (error) => done(String(error?.message ?? error)))`,
        command,
        options,
      );
    assert.equal(await call("settings", {}), "allowed");
    for (const [command, options] of [
      ["plugin:store|load", { path: "/tmp/anything.json", options: {} }],
      ["plugin:event|emit", { event: "overview", payload: {} }],
      ["plugin:window|set_title", { label: "main", value: "Bank" }],
      ["plugin:webview|create_webview_window", { options: { label: "x", url: "https://example.com" } }],
      ["plugin:path|resolve_directory", { directory: 1 }],
      ["token", { profile: "Sandbox" }],
    ]) {
      assert.match(await call(command, options), /not allowed|not found/, command);
    }
  });
  await stage.close(page);
});

test("the window speaks the language that the command speaks", { timeout: 60_000 }, async (t) => {
  const stage = await Stage.set(t, { LC_ALL: "zh_TW.UTF-8" });
  const page = await stage.open();
  await stage.add("Sandbox", "flask", "http://127.0.0.1:9/flask");
  const chinese = /[\u4e00-\u9fff]/;
  assert.match(await stage.pilotlight("status"), chinese);
  await until("the window does", async () => chinese.test(await page.text('[data-testid="phase"]')));
  assert.equal(await page.run("return document.documentElement.lang"), "zh-CN");
  await stage.close(page);
});

/** What a person can look at, each by the button that shows it, in an order in which all can be pressed. */
const EVERYTHING = [
  "add",
  "kind-preset",
  "session-Partner portal",
  "session-Sandbox",
  "tab-data",
  "tab-timeline",
  "tab-bench",
  "tab-overview",
];

const TAB = "\uE004";
const ENTER = "\uE007";
const CONTROL = "\uE009";
const ARROW_RIGHT = "\uE014";

async function set(page, settings) {
  await page.click('[data-testid="settings"]');
  for (const [name, value] of Object.entries(settings)) {
    await until(`there is the choice of ${name}`, () => page.count(`[data-testid="${name}"]`));
    await page.choose(`[data-testid="${name}"]`, value);
  }
  await page.click('[data-testid="close"]');
}

/** How wide these are, in a size of 20. */
function widths(page, ...signs) {
  return page.run(
    `return [...arguments].map((sign) => {
       const text = document.createElement("span");
       text.textContent = sign.repeat(10);
       text.style.cssText = "position: absolute; font-size: 20px; white-space: nowrap";
       document.body.append(text);
       const { width } = text.getBoundingClientRect();
       text.remove();
       return width / 10;
     })`,
    ...signs,
  );
}

/** A colour that is still fading is neither the old nor the new. */
function settle(page) {
  return page.run(
    `for (const each of document.getAnimations()) {
       if (each.effect.getComputedTiming().endTime !== Infinity) each.finish();
     }`,
  );
}

async function violations(page) {
  const found = await page.runAsync(
    `const done = arguments[arguments.length - 1];
     axe.run(document, { resultTypes: ["violations"] }).then(
       ({ violations }) => done(violations.map(({ id, impact, nodes }) =>
         ({ id, impact, nodes: nodes.map(({ html, any }) => html.slice(0, 160) + " " + (any[0]?.message ?? "")) }))),
       (error) => done([{ id: String(error), impact: "critical" }]))`,
  );
  return found.filter(({ impact }) => impact === "serious" || impact === "critical");
}
