// Takes the picture of the window for the README: the demo, after it has lived through something.

import { writeFileSync } from "node:fs";
import { Stage } from "./stage.mjs";
import { until } from "./webdriver.mjs";

const [file] = process.argv.slice(2);
const ends = [];
const stage = await Stage.set({ after: (end) => ends.push(end) });
try {
  const page = await stage.open("--demo");
  await until("the demo is signed in", () => page.count('[data-testid="session-Orders API"][data-phase="Fresh"]'));
  await page.click('[data-testid="session-Sandbox"]');
  await until("a few refreshes", () => generation(page, 5), 150_000);
  // A provider in trouble for a moment, and access tokens that it forgot.
  await stage.ask({ do: "set_bench", profile: "Sandbox", change: { set: "fault", name: "status", on: true, times: 2 } });
  await until("the next refresh", () => generation(page, 6), 60_000);
  await stage.ask({ do: "set_bench", profile: "Sandbox", change: { set: "revoke_access" } });
  await page.click('[data-testid="tab-data"]');
  await page.click('[data-testid="burst"]');
  await until("the answers", async () => (await page.count('[data-testid="answer"][data-status="200"]')) === 8);
  await page.click('[data-testid="tab-overview"]');
  await until("the newest token is shown", () => generation(page, 7));
  await until("a part of its life is over", async () => (await secondsLeft(page)) <= 25);
  writeFileSync(file, await page.picture());
  await stage.close(page);
} finally {
  for (const end of ends) await end();
}

async function generation(page, at) {
  return Number(await page.attribute('[data-testid="generation"]', "data-generation")) >= at;
}

async function secondsLeft(page) {
  return Number((await page.text('[data-testid="countdown"]')).split(":")[1]);
}
