// The end of a sign-in, as a person sees it come and puts it behind a new one.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { Stage } from "./stage.mjs";
import { until } from "./webdriver.mjs";

test("who is told of the end signs in again before it", { timeout: 300_000 }, async (t) => {
  const stage = await Stage.set(t);
  // Its refresh tokens stay, and say when they end: two minutes after the sign-in.
  const url = await stage.sandbox("8s", ["--refresh-ttl", "120s", "--rotation", "off"]);
  const page = await stage.open();
  await stage.add("Sandbox", "simplejwt", `${url}/simplejwt`);
  await stage.login("Sandbox");
  await page.click('[data-testid="session-Sandbox"]');
  const line = async () =>
    (await page.count('[data-testid="forecast"]')) > 0 ? page.text('[data-testid="forecast"]') : "";
  await until("the end is known", async () => /This sign-in ends in .*, the provider says/.test(await line()), 30_000);
  assert.equal(await page.count('[data-testid="sign-in-again"]'), 0, "there is time");
  await picture(page, "far");
  await until("it is near", () => page.count('[data-testid="sign-in-again"]'), 150_000);
  await page.run(readFileSync(new URL("../../ui/node_modules/axe-core/axe.min.js", import.meta.url), "utf8"));
  const wrong = await page.run("return axe.run().then(({ violations }) => violations.map((each) => each.id))");
  assert.deepEqual(wrong, []);
  await picture(page, "near");
  await page.click('[data-testid="sign-in-again"]');
  await picture(page, "again");
  await page.type('[data-testid="password"]', "wonderland");
  await page.click('[data-testid="sign-in"]');
  await until("it is another sign-in", async () => {
    const near = await page.count('[data-testid="sign-in-again"]');
    return near === 0 && (await page.count('[data-testid="countdown"]')) === 1;
  });
  assert.equal(await page.attribute('[data-testid="phase"]', "data-phase"), "Fresh");
  await stage.close(page);
});

async function picture(page, name) {
  const { PICTURES } = process.env;
  if (!PICTURES) return;
  mkdirSync(PICTURES, { recursive: true });
  writeFileSync(join(PICTURES, `forecast-${name}.png`), await page.picture());
}
