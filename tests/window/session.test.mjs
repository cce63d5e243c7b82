// What a session lives through: a sign-in, many refreshes, a closed window, a stopped keeper.

import assert from "node:assert/strict";
import test from "node:test";
import { Stage, isAlive } from "./stage.mjs";
import { until } from "./webdriver.mjs";

// Row A13: the window is another process than the keeper, and comes and goes.
test("one sign-in lasts: through refreshes, a closed window and a stopped keeper", { timeout: 180_000 }, async (t) => {
  const stage = await Stage.set(t);
  const url = await stage.sandbox("4s");
  let page = await stage.open();
  await until("the newcomer is greeted", () => page.count('[data-testid="first-add"]'));
  await stage.add("Sandbox", "heartbeat", `${url}/heartbeat`);

  await t.test("a person signs in by typing", async () => {
    await page.type('[data-testid="username"]', "alice");
    await page.type('[data-testid="password"]', "wonderland");
    await page.click('[data-testid="sign-in"]');
    await until("the session is fresh", () => isPhase(page, "Fresh"));
  });

  await t.test("the keeper refreshes twice and more, and nobody is asked", async () => {
    const first = await generation(page);
    const seen = new Set();
    await until("two more generations", async () => {
      seen.add(await page.attribute('[data-testid="phase"]', "data-phase"));
      return (await generation(page)) >= first + 2;
    });
    assert(!seen.has("NeedsLogin") && !seen.has("SigningIn"), [...seen].join());
    const { entries } = await stage.ask({ do: "log", profile: "Sandbox", limit: 100 });
    assert(!entries.some(({ note }) => note.kind === "needs_login"), JSON.stringify(entries));
  });

  await t.test("protected data comes before and after an expiry, and eight at once", async () => {
    await page.click('[data-testid="tab-data"]');
    const path = await page.run(`return document.querySelector('[data-testid^="fetch-"]').dataset.testid`);
    await page.click(`[data-testid="${path}"]`);
    const before = await until("data", async () => (await answers(page)).length === 1 && (await answered(page)));
    assert.deepEqual(before, ["200"]);
    const old = (await session(stage)).access.generation;
    await until("the token of that answer is not the newest any more", async () => {
      return (await session(stage)).access.generation > old;
    });
    // The provider forgets every access token: what is sent now meets a 401, waits, and is sent again.
    await stage.ask({ do: "set_bench", profile: "Sandbox", change: { set: "revoke_access" } });
    await page.click('[data-testid="burst"]');
    const after = await until("eight answers", async () => (await answers(page)).length === 8 && (await answered(page)));
    assert.deepEqual(after, Array(8).fill("200"));
    await page.click('[data-testid="tab-overview"]');
  });

  await t.test("the timeline tells it", async () => {
    await page.click('[data-testid="tab-timeline"]');
    await until("refreshes are written down", async () => (await page.count('[data-testid="entry"]')) >= 4);
    await page.click('[data-testid="tab-overview"]');
  });

  let keeper;
  let before = [];
  await t.test("a closed window ends its whole process, and the keeper goes on", async () => {
    const [window] = stage.windows();
    [keeper] = stage.keepers();
    const before = (await session(stage)).access.generation;
    await stage.close(page);
    assert(!isAlive(window) && isAlive(keeper));
    await until("it is refreshed with no window there", async () => {
      return (await session(stage)).access.generation > before;
    });
    page = await stage.open();
    await until("the session is there", () => isPhase(page, "Fresh"));
    assert.deepEqual(stage.keepers(), [keeper], "the same keeper");
    assert((await generation(page)) > before, "the same session");
  });

  await t.test("after the keeper was stopped, the session comes back from the real keyring", async () => {
    const signIns = await count(stage, "signed_in");
    await until("the refresh token is saved", async () => (await session(stage)).saved);
    await stage.close(page);
    before = await secretsNow(stage);
    await stage.stopKeeper();
    assert(!isAlive(keeper));
    page = await stage.open();
    await until("the session is there", () => isPhase(page, "Fresh"));
    assert.notDeepEqual(stage.keepers(), [keeper]);
    assert.equal(await page.count('[data-testid="password"]'), 0);
    assert.equal(await count(stage, "signed_in"), signIns, "nobody signed in again");
    assert.equal((await stage.ask({ do: "status" })).vault.kind, "keyring");
    assert.equal((await page.attribute('[data-testid="stored"]', "data-stored")), "keyring");
    assert.match(await stage.keyring(), /label = Pilotlight – key of the stored sign-ins/);
  });

  await t.test("no token is anywhere but in memory, and no key but in the keyring", async () => {
    // Those of now, and those of before, which a log or a journal may have kept.
    const secrets = ["wonderland", ...before, ...(await secretsNow(stage))];
    const now = (await session(stage)).access.generation;
    await until("a newer token", async () => (await session(stage)).access.generation > now);
    secrets.push(...(await secretsNow(stage)));
    assert(new Set(secrets).size >= before.length + 3, "a password and two newer tokens");
    for (const tab of ["data", "timeline", "bench", "overview"]) {
      await page.click(`[data-testid="tab-${tab}"]`);
      const seen = await page.run(
        `return document.documentElement.outerHTML + document.cookie
           + JSON.stringify({ ...localStorage }) + JSON.stringify({ ...sessionStorage })
           + [...document.querySelectorAll("input")].map((input) => input.value).join()`,
      );
      for (const secret of secrets) assert(!seen.includes(secret), `in the page, on ${tab}`);
    }
    const files = stage.files();
    assert.match(files, /settings\.json/);
    for (const secret of secrets) assert(!files.includes(secret), "in a file");
    // What the page was told: the same that its commands answer.
    const told = JSON.stringify(await stage.ask({ do: "status" })) + JSON.stringify(await stage.ask({ do: "log" }));
    for (const secret of secrets) assert(!told.includes(secret), "over the socket");
  });
  await stage.close(page);
});

function isPhase(page, phase) {
  return page.count(`[data-testid="phase"][data-phase="${phase}"]`);
}

async function generation(page) {
  return Number(await page.attribute('[data-testid="generation"]', "data-generation"));
}

function answers(page) {
  return page.run(`return [...document.querySelectorAll('[data-testid="answer"]')].map((each) => each.dataset.status)`);
}

/** The answers, once none of them is awaited. */
async function answered(page) {
  const all = await answers(page);
  return all.includes("pending") ? null : all;
}

async function session(stage, profile = "Sandbox") {
  const { sessions } = await stage.ask({ do: "status" });
  return sessions.find((each) => each.profile === profile);
}

async function count(stage, kind) {
  const { entries } = await stage.ask({ do: "log", profile: "Sandbox", limit: 1000 });
  return entries.filter(({ note }) => note.kind === kind).length;
}

/** The present access token, the refresh token, and the key that it is sealed with, in every form in which they could be seen. */
async function secretsNow(stage) {
  const { access_token } = await stage.ask({ do: "token", profile: "Sandbox" });
  const [, key] = /^secret = (\S+)$/m.exec(await stage.keyring());
  const { refresh } = await stage.opened("Sandbox");
  const secrets = [access_token, ...access_token.split(".").slice(1), refresh, key.split(".")[1]];
  assert(secrets.every((secret) => secret.length >= 20), "they look like tokens");
  return secrets;
}
