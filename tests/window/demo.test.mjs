// What a newcomer sees first.

import assert from "node:assert/strict";
import test from "node:test";
import { Stage } from "./stage.mjs";
import { until } from "./webdriver.mjs";

test("the demo opens signed in, and leaves nothing running", { timeout: 60_000 }, async (t) => {
  const stage = await Stage.set(t);
  for (const time of ["first", "second"]) {
    const page = await stage.open("--demo");
    for (const [profile, phase] of [
      ["Sandbox", "Fresh"],
      ["Orders API", "Fresh"],
      ["Partner portal", "NeedsLogin"],
      ["Work account", "NeedsLogin"],
    ]) {
      const row = `[data-testid="session-${profile}"][data-phase="${phase}"]`;
      await until(`${profile} is ${phase}, the ${time} time`, () => page.count(row));
    }
    assert.equal(await page.count(".row"), 4);
    await page.click('[data-testid="session-Orders API"]');
    await page.click('[data-testid="tab-data"]');
    await page.click('[data-testid="fetch-/aaa"]');
    await until("data", () => page.count('[data-testid="answer"][data-status="200"]'));
    if (time === "first") {
      // What the README says of it.
      await page.click('[data-testid="session-Partner portal"]');
      await page.click('[data-testid="tab-overview"]');
      await page.type('[data-testid="username"]', "alice");
      await page.type('[data-testid="password"]', "wonderland");
      await page.click('[data-testid="sign-in"]');
      await until("signed in", () => page.count('[data-testid="session-Partner portal"][data-phase="Fresh"]'));
      await page.click('[data-testid="tab-data"]');
      await page.click('[data-testid^="fetch-/"]');
      await until("data", () => page.count('[data-testid="answer"][data-status="200"]'));
      await page.click('[data-testid="session-Sandbox"]');
      await page.click('[data-testid="burst"]');
      await until("eight answers", async () => (await page.count('[data-testid="answer"][data-status="200"]')) === 8);
      await page.click('[data-testid="tab-bench"]');
      for (const blow of ["fault-lost_answer", "revoke-access"]) await page.click(`[data-testid="${blow}"]`);
      await page.click('[data-testid="refresh-now"]');
      await until("the session survives", () => page.count('[data-testid="phase"][data-phase="Fresh"]'));
      await stage.close(page);
    } else {
      // Ctrl-C, by someone who started it in a terminal.
      process.kill(stage.windows()[0], "SIGINT");
      await until("the window's process is gone", () => stage.windows().length === 0);
      await page.end().catch(() => {});
    }
    await until("its keeper and its sandbox are gone too", () => stage.everything().length === 0);
  }
});

test("a demo whose keyring saves nothing leaves nothing running either", { timeout: 60_000 }, async (t) => {
  const stage = await Stage.set(t);
  t.after(await stage.lockKeyring());
  const page = await stage.open("--demo");
  await until("signed in", () => page.count('[data-testid="session-Sandbox"][data-phase="Fresh"]'));
  await stage.close(page);
  await until("its keeper and its sandbox are gone", () => stage.everything().length === 0);
});
