import { expect, test } from "vitest";
import { announceChanges } from "../src/announce.ts";
import type { Forecast } from "../src/api.ts";
import * as state from "../src/state.ts";
import { language } from "../src/words.ts";
import { entryOf, faults, open, overviewOf, sessionOf } from "./page.tsx";

const day = 86_400_000;
const far: Forecast = {
  ends: { in_ms: 20 * day, lasts_ms: 30 * day, ground: "told", times: 0 },
  unused: null,
  is_near: false,
};
const near: Forecast = {
  ends: { in_ms: day / 2, lasts_ms: 14 * day, ground: "seen", times: 2 },
  unused: { after_ms: 3 * day, ground: "set" },
  is_near: true,
};

test("a sign-in of which nothing is known says nothing of its end", async () => {
  const page = await open(overviewOf(sessionOf()));
  expect(page.has("forecast")).toBe(false);
});

test("an end that is far away is a quiet line", async () => {
  const page = await open(overviewOf(sessionOf({ forecast: far })));
  expect(page.find("forecast").textContent).toBe("This sign-in ends in 20 days, the provider says.");
  expect(page.has("sign-in-again")).toBe(false);
  expect(await faults()).toEqual([]);
});

test("how long it lives unused is said in the reader's language", async () => {
  const unused: Forecast = { ends: null, unused: { after_ms: 14 * day, ground: "set" }, is_near: false };
  const page = await open(overviewOf(sessionOf({ forecast: unused })));
  expect(page.find("forecast").textContent).toBe(
    "This sign-in ends after 14 days without a refresh, the profile says.",
  );
  await page.tell(() => {
    language.value = "zh-CN";
  });
  expect(page.find("forecast").textContent).toBe("这次登录按配置，不刷新的话 14 天后结束。");
  language.value = "en";
});

// Row G8.
test("an end that is near can be put behind one, over what still holds", async () => {
  const page = await open(overviewOf(sessionOf({ forecast: near })));
  const line = page.find("forecast").textContent ?? "";
  expect(line).toContain("ends in about 12 h: the last 2 lasted about 14 days");
  expect(line).toContain("ends after 3 days without a refresh, the profile says");
  expect(line).toContain("Sign in again when it suits you");
  expect(document.querySelector("main")?.textContent).toContain("Signed in, and soon to end");
  expect(await faults()).toEqual([]);
  await page.press("sign-in-again");
  expect(page.has("sign-in")).toBe(true);
  expect(document.querySelector(".sign-in")?.textContent).toContain("This sign-in ends in about 12 h");
  expect(page.has("refresh-now")).toBe(true);
  await page.press("sign-in-later");
  expect(page.has("countdown")).toBe(true);
  await page.press("sign-in-again");
  await page.tell((to) => to.overview(overviewOf(sessionOf({ forecast: far }))));
  expect(page.has("countdown")).toBe(true);
  // The next end is another one.
  await page.tell((to) => to.overview(overviewOf(sessionOf({ forecast: near }))));
  expect(page.has("countdown")).toBe(true);
});

// Row G8.
test("an end that comes near is told once", async () => {
  const page = await open(overviewOf(sessionOf({ forecast: far })));
  const stop = announceChanges();
  await page.tell((to) => to.overview(overviewOf(sessionOf({ forecast: near }))));
  expect(state.announcement.value).toContain("work: this sign-in ends in about 12 h");
  state.announcement.value = "";
  const later = near.ends && { ...near, ends: { ...near.ends, in_ms: day / 4 } };
  await page.tell((to) => to.overview(overviewOf(sessionOf({ forecast: later }))));
  expect(state.announcement.value).toBe("");
  stop();
});

test("the journal tells of the end in the words of the line", () => {
  const { says } = entryOf(1, 0, { kind: "foreseen", ends: far.ends, unused: null });
  expect(says.en).toBe("The end of the sign-in is known: it ends in 20 days, the provider says");
});
