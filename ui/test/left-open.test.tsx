import { options, type VNode } from "preact";
import { expect, onTestFinished, test, vi } from "vitest";
import type { EntryView, OverviewView } from "../src/api.ts";
import { BLOCK, KEPT } from "../src/log.ts";
import { heedSight } from "../src/page.tsx";
import { logs, lookAway } from "../src/state.ts";
import * as drawing from "../src/strip.ts";
import { entryOf, failureOf, open, overviewOf, type Page, sessionOf } from "./page.tsx";

vi.mock("../src/strip.ts", { spy: true });

const FED = 20_000;

test.each(["overview", "timeline", "data"])(
  "a long life costs nothing on %s",
  async (tab) => {
    const page = await open(overviewOf(sessionOf()), { log: async () => history(1, 200).reverse() }, { tab });
    const before = nodes();
    for (let from = 201; from < FED; from += 200) await tell(page, history(from, from + 199));
    expect(logs.value.work?.size).toBeLessThan(KEPT + 100);
    await page.scrollTo(0);
    expect(nodes()).toBeLessThan(before + 1200);

    // A second goes by in which nothing happens but that time passes.
    const lines = counting("Line");
    const charts = vi.mocked(drawing.chronicle).mock.calls.length;
    const drawn = vi.mocked(drawing.strip).mock.calls.length;
    for (let second = 1; second <= 10; second += 1) await page.tell((to) => to.overview(at(second)));
    expect(lines.count).toBe(0);
    expect(vi.mocked(drawing.chronicle).mock.calls.length).toBe(charts);
    expect(vi.mocked(drawing.strip).mock.calls.length - drawn).toBeLessThanOrEqual(10);

    // One entry more is one line more.
    await tell(page, history(FED + 1, FED + 1));
    expect(lines.count).toBeLessThanOrEqual(2);
  },
  30_000,
);

test("many entries at once are drawn once", async () => {
  const page = await open(overviewOf(sessionOf()));
  const charts = vi.mocked(drawing.chronicle).mock.calls.length;
  await tell(page, history(1, 500));
  expect(logs.value.work?.size).toBe(500);
  expect(vi.mocked(drawing.chronicle).mock.calls.length - charts).toBe(1);
});

test("of a long past only what is near to what is seen is in the page", async () => {
  const log = vi.fn(async ({ before }: { before: number | null }) => {
    const last = (before ?? FED + 1) - 1;
    return history(Math.max(1, last - 199), last).reverse();
  });
  const page = await open(overviewOf(sessionOf()), { log }, { tab: "timeline" });
  while (page.has("older")) await page.press("older");
  expect(logs.value.work?.size).toBe(FED);
  const parts = document.querySelectorAll(".history > *").length;
  expect(parts).toBe(FED / BLOCK);
  for (const part of [0, parts / 2, parts - 1]) {
    await page.scrollTo(part);
    expect(document.querySelectorAll("[data-testid=entry]").length).toBe(BLOCK);
  }
  expect(nodes()).toBeLessThan(3000);
  await page.press("tab-overview");
  expect(logs.value.work?.size).toBe(KEPT);
}, 30_000);

test("nothing is made of what is told while nobody can see it, and then it is there", async () => {
  const page = await open(overviewOf(sessionOf()));
  lookAway(true);
  const renders = counting();
  const charts = vi.mocked(drawing.chronicle).mock.calls.length;
  const drawn = vi.mocked(drawing.strip).mock.calls.length;
  for (let second = 1; second <= 20; second += 1) {
    await page.tell((to) => to.overview(at(second)));
    await tell(page, history(second, second));
  }
  expect(renders.count).toBe(0);
  expect(vi.mocked(drawing.chronicle).mock.calls.length).toBe(charts);
  expect(vi.mocked(drawing.strip).mock.calls.length).toBe(drawn);

  page.host.overview.mockResolvedValue(at(21));
  lookAway(false);
  await page.settle();
  expect(page.find("countdown").textContent).toBe("0:09");
  expect(logs.value.work?.size).toBe(20);
});

test("what was missed in a long absence is read anew", async () => {
  const log = vi.fn(async () => [] as EntryView[]);
  const page = await open(overviewOf(sessionOf()), { log });
  lookAway(true);
  await tell(page, history(1, 5000));
  expect(log).toHaveBeenCalledTimes(1);
  log.mockResolvedValue(history(4801, 5000).reverse());
  lookAway(false);
  await page.settle();
  await page.settle();
  expect(log).toHaveBeenCalledTimes(2);
  expect(logs.value.work?.size).toBe(200);
});

// Row A13: a web view that nobody sees is slowed down or stands still, and its clock may be another one afterwards.
test.each([9 * 3600_000, -2 * 3600_000])(
  "whoever looks again after %i ms sees what is the case now",
  async (jump) => {
    const page = await open(overviewOf(sessionOf()));
    onTestFinished(heedSight());
    const gone = overviewOf(sessionOf({ phase: { name: "NeedsLogin", why: "refused" }, access: null }));
    page.host.overview.mockClear().mockResolvedValue(gone);
    await see(page, false);
    vi.useFakeTimers({ now: Date.now() + jump, toFake: ["Date"] });
    onTestFinished(() => void vi.useRealTimers());
    expect(page.host.overview).not.toHaveBeenCalled();
    await see(page, true);
    expect(page.host.overview).toHaveBeenCalledTimes(1);
    await page.settle();
    expect(page.find("phase").dataset.phase).toBe("NeedsLogin");
    expect(page.has("countdown")).toBe(false);
  },
);

// Row A13
test("what was told out of sight is there in the first moment, also that nobody answers", async () => {
  const page = await open(overviewOf(sessionOf()));
  onTestFinished(heedSight());
  page.host.overview.mockReturnValue(new Promise(() => undefined));
  await see(page, false);
  await page.tell((to) => to.overview(at(27)));
  expect(page.find("countdown").textContent).toBe("0:21");
  await see(page, true);
  expect(page.find("countdown").textContent).toBe("0:03");
  await see(page, false);
  await page.tell((to) => to.keeper({ connected: false, failure: failureOf("keeper_unreachable") }));
  await see(page, true);
  expect(page.find("notice").textContent).toContain("not answering");
});

/** As the web view says it. */
async function see(page: Page, seen: boolean): Promise<void> {
  vi.spyOn(document, "visibilityState", "get").mockReturnValue(seen ? "visible" : "hidden");
  document.dispatchEvent(new Event("visibilitychange"));
  await page.settle();
}

/** Components that were rendered from now on, of all names or of one. */
function counting(name?: string): { count: number } {
  const counted = { count: 0 };
  // The hook by which signals, too, learn of it; those that are skipped are not told here.
  const hooks = options as { __r?: (vnode: VNode) => void };
  const before = hooks.__r;
  hooks.__r = (vnode) => {
    const { type } = vnode;
    if (typeof type === "function" && (!name || type.name === name)) counted.count += 1;
    before?.(vnode);
  };
  onTestFinished(() => {
    hooks.__r = before;
  });
  return counted;
}

function nodes(): number {
  return document.querySelectorAll("*").length;
}

function tell(page: Page, entries: EntryView[]): Promise<void> {
  return page.tell((to) => {
    for (const entry of entries) to.entry(entry);
  });
}

/** Four heartbeats and a refresh, again and again, five seconds apart; now is after the last. */
function history(from: number, to: number): EntryView[] {
  const end = Date.now();
  return Array.from({ length: to - from + 1 }, (_, at) => {
    const id = from + at;
    return entryOf(
      id,
      end - (FED - id) * 5000,
      id % 5 === 0
        ? {
            kind: "refreshed",
            cause: "before_expiry",
            generation: id / 5,
            lifetime_ms: 30_000,
            source: "told",
            took_ms: 38,
            rotated: true,
            tries: 1,
          }
        : { kind: "heartbeat", good: true, took_ms: 4 },
    );
  });
}

function at(second: number): OverviewView {
  const { access } = sessionOf();
  return overviewOf(sessionOf({ access: access && { ...access, remaining_ms: 30_000 - second * 1000 } }));
}
