// A window that is left open, and one that is opened after a long time.

import assert from "node:assert/strict";
import { join } from "node:path";
import test from "node:test";
import { activeProcess, minimize } from "./display.mjs";
import { PlayedKeeper } from "./keeper.mjs";
import { Stage } from "./stage.mjs";
import { until } from "./webdriver.mjs";

const PAST = 20_000;

test("a long life is no burden", { timeout: 180_000 }, async (t) => {
  const stage = await Stage.set(t);
  const keeper = await PlayedKeeper.at(join(stage.home, "agent.sock"));
  t.after(() => keeper.end());
  keeper.sessions = [session("Sandbox")];
  for (let at = 0; at < PAST; at += 1) keeper.write("Sandbox", note(at), Date.now() - (PAST - at) * 5_000);
  const page = await stage.open();

  await t.test("nothing moves while nothing happens", async () => {
    await until("the countdown is there", () => page.count('[data-testid="countdown"]'));
    const moved = await page.runAsync(
      `const done = arguments[arguments.length - 1];
       const moved = new Set();
       let left = 30;
       const timer = setInterval(() => {
         for (const each of document.getAnimations()) moved.add(each.effect.target.outerHTML.slice(0, 100));
         left -= 1;
         if (left === 0) { clearInterval(timer); done([...moved]); }
       }, 100);`,
    );
    assert.deepEqual(moved, []);
  });

  await t.test("of a long past the page holds what can be seen", async () => {
    await page.click('[data-testid="tab-timeline"]');
    for (let page_of = 2; page_of <= PAST / 200; page_of += 1) {
      await until("there is more", () => page.count('[data-testid="older"]:enabled'));
      // Pressed in the page: a driver scrolls there each time, and this is about the length and not about the way.
      await page.run(`document.querySelector('[data-testid="older"]').click()`);
    }
    await until("all of it is there", () => page.run("return document.querySelectorAll('.history > *').length >= arguments[0]", PAST / 25));
    const { entries, nodes } = await held(page);
    assert(entries <= 400 && nodes < 5_000, `${entries} entries in ${nodes} nodes`);
    await page.choose('[data-testid="range"]', "all");
    assert((await held(page)).nodes < 7_000, `${(await held(page)).nodes} nodes with all of it drawn`);
  });

  await t.test("its beginning can be seen", async () => {
    await page.run(`document.querySelector("#panel").focus()`);
    await until("the first entry is in sight", async () => {
      await page.run("const main = document.querySelector('main'); main.scrollTop = main.scrollHeight");
      return page.run(
        `const last = [...document.querySelectorAll('[data-testid="entry"]')].at(-1);
         return last.dataset.kind === "signed_in" && last.getBoundingClientRect().top < innerHeight`,
      );
    });
    const { entries, nodes } = await held(page);
    assert(entries <= 400 && nodes < 7_000, `${entries} entries in ${nodes} nodes`);
  });

  await t.test("what is read stays where it is when something happens", async () => {
    await page.run("const main = document.querySelector('main'); main.scrollTop = main.scrollHeight / 2");
    const place = () =>
      page.run(
        `const lines = [...document.querySelectorAll('[data-testid="entry"]')];
         const line = lines.find((each) => each.getBoundingClientRect().top > 200);
         return line && [line.textContent, Math.round(line.getBoundingClientRect().top)]`,
      );
    const before = await until("entries are in sight", async () => {
      const first = await place();
      return first && JSON.stringify(first) === JSON.stringify(await place()) && first;
    });
    for (let at = 0; at < 5; at += 1) keeper.write("Sandbox", note(1));
    await until("they are known", () => page.run(`return document.querySelector('[data-testid="strip"]').getAttribute("aria-label").includes(arguments[0])`, String(PAST * 0.8 + 5)));
    assert.deepEqual(await place(), before);
  });

  await t.test("what nobody sees is not made", async () => {
    const [window] = stage.windows();
    await page.click('[data-testid="tab-overview"]');
    await minimize(window);
    await until("the page knows that it is out of sight", () => page.run("return document.visibilityState === 'hidden'"));
    await page.run(
      `window.changes = 0;
       new MutationObserver(() => { window.changes += 1; }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true })`,
    );
    // What was on its way when the window went.
    await until("nothing more is asked", async () => {
      const before = keeper.asked.status;
      await page.runAsync("setTimeout(arguments[arguments.length - 1], 1200)");
      return keeper.asked.status === before;
    });
    const asked = keeper.asked.status;
    for (let at = 0; at < 5; at += 1) keeper.write("Sandbox", note(4));
    await until("two seconds have gone by", () => page.runAsync("setTimeout(() => arguments[arguments.length - 1](true), 2000)"));
    assert.equal(await page.run("return window.changes"), 0);
    assert.equal(keeper.asked.status, asked, "nothing is asked for a page that nobody sees");
    assert.equal(await stage.startAgain(), 0);
    await until("it is in front", async () => (await activeProcess()) === window);
    await until("it shows what is the case now", () => page.run("return window.changes > 0"));
  });
  await stage.close(page);
});

function held(page) {
  return page.run(
    `return { entries: document.querySelectorAll('[data-testid="entry"]').length, nodes: document.querySelectorAll("*").length }`,
  );
}

/** Four heartbeats and a refresh, again and again, after a sign-in. */
function note(at) {
  if (at === 0) return { kind: "signed_in", user: "alice", generation: 1, lifetime_ms: 30_000, source: "told", took_ms: 9 };
  if (at % 5 !== 0) return { kind: "heartbeat", good: true, took_ms: 4 };
  const generation = 1 + at / 5;
  return { kind: "refreshed", cause: "before_expiry", generation, lifetime_ms: 30_000, source: "told", took_ms: 38, rotated: true, tries: 1 };
}

/** Its times go by as those of a real one do. */
function session(profile) {
  const next = (every) => every - (Date.now() % every);
  return {
    profile,
    preset: "nestjs",
    url: "http://127.0.0.1:9/nestjs",
    host: "127.0.0.1:9",
    user: "alice",
    phase: { name: "Fresh" },
    get access() {
      return { generation: 9, jwt: true, algorithm: "HS256", lifetime_ms: 30_000, remaining_ms: 7_500 + next(22_500), source: "told", rejected: false, dpop: false };
    },
    get refresh_in_ms() {
      return next(22_500);
    },
    get heartbeat() {
      return { every_ms: 5_000, next_in_ms: next(5_000), last: { good: true, ago_ms: 5_000 - next(5_000) } };
    },
    last_refresh: { cause: "before_expiry", ago_ms: 9_000, took_ms: 38 },
    saved: true,
    requests: { in_flight: 0, held: 0, replayed: 0 },
    resources: [{ method: "GET", path: "/aaa" }],
    sandbox: true,
  };
}
