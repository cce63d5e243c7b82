// A window that nobody sees: the keeper goes on, and whoever looks again is told the truth at once.

import assert from "node:assert/strict";
import test from "node:test";
import { minimize } from "./display.mjs";
import { Stage } from "./stage.mjs";
import { until } from "./webdriver.mjs";

// Row A13: a web view that nobody sees is slowed down, and its timers with it.
test("out of sight nothing is missed, and a second after it is seen again the page is right", { timeout: 120_000 }, async (t) => {
  const stage = await Stage.set(t);
  const url = await stage.sandbox("3s");
  const page = await stage.open();
  await stage.add("Sandbox", "heartbeat", `${url}/heartbeat`);
  await stage.login("Sandbox");
  await until("the session is fresh", () => isPhase(page, "Fresh"));

  await t.test("a newer token is shown that came while nobody looked", async () => {
    const before = await putAway(stage, page);
    await until("the keeper refreshes all the same", async () => (await session(stage)).access.generation > before + 1);
    const { now, shown } = await lookAgain(stage, page, `Number(document.querySelector('[data-testid="generation"]').dataset.generation) > ${before + 1}`);
    assert(shown < 1_000, `${shown} ms`);
    assert.equal(now, "Fresh");
  });

  await t.test("so is an end that came while nobody looked", async () => {
    await putAway(stage, page);
    await stage.ask({ do: "set_bench", profile: "Sandbox", change: { set: "revoke_all" } });
    await until("the keeper knows", async () => (await session(stage)).phase.name === "NeedsLogin");
    const { now, shown } = await lookAgain(stage, page, `!document.querySelector('[data-testid="countdown"]')`);
    assert(shown < 1_000, `${shown} ms`);
    assert.equal(now, "NeedsLogin");
  });
  await stage.close(page);
});

function isPhase(page, phase) {
  return page.count(`[data-testid="phase"][data-phase="${phase}"]`);
}

async function session(stage) {
  return (await stage.ask({ do: "status" })).sessions[0];
}

/** Which token is shown to nobody from now on. */
async function putAway(stage, page) {
  const [window] = stage.windows();
  await minimize(window);
  await until("the page knows that it is out of sight", () => page.run("return document.visibilityState === 'hidden'"));
  return Number(await page.attribute('[data-testid="generation"]', "data-generation"));
}

/** Brings the window to the front; says which phase is shown, and how long it took until the page was right. */
async function lookAgain(stage, page, isRight) {
  await page.run(
    `window.shown = null;
     document.addEventListener("visibilitychange", () => {
       const began = performance.now();
       const look = () => {
         if (${isRight}) window.shown = performance.now() - began;
         else requestAnimationFrame(look);
       };
       look();
     }, { once: true });`,
  );
  assert.equal(await page.run(`return ${isRight}`), false, "nothing was drawn for nobody");
  assert.equal(await stage.startAgain(), 0);
  const shown = await until("the page is right", () => page.run("return window.shown"));
  return { shown, now: await page.attribute('[data-testid="phase"]', "data-phase") };
}
