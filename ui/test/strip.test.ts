import { expect, test } from "vitest";
import type { Cause, EntryView, Note } from "../src/api.ts";
import { chronicle, strip } from "../src/strip.ts";
import { entryOf } from "./page.tsx";

// 120 s of past and 24 s of future on 1440 px: ten pixels a second, and now at 1200.
const NOW = 1_800_000_000_000;
const draw = (...entries: EntryView[]) => strip(chronicle(entries), NOW, 120_000, 1440);
let id = 0;
const ago = (seconds: number, note: Note) => entryOf(++id, NOW - seconds * 1000, note);
const refreshed = (generation: number, lifetime_s = 30, cause: Cause = "before_expiry"): Note => ({
  kind: "refreshed",
  cause,
  generation,
  lifetime_ms: lifetime_s * 1000,
  source: "told",
  took_ms: 38,
  rotated: true,
  tries: 1,
});

test("nothing makes an empty strip with its now", () => {
  const drawn = draw();
  expect([drawn.empty, drawn.now, drawn.bars]).toEqual([true, 1200, []]);
});

test("a token is a bar from its receipt for its lifetime, and the last one is current while it lives", () => {
  const { bars } = draw(ago(60, refreshed(1)), ago(40, refreshed(2)), ago(10, refreshed(3)));
  expect(bars.map(({ x, w, current }) => [x, w, current])).toEqual([
    [600, 300, false],
    [800, 300, false],
    [1100, 300, true],
  ]);
  expect(draw(ago(60, refreshed(1))).bars[0]?.current).toBe(false);
});

test("lanes alternate, and do not jump when older entries are loaded", () => {
  const late = [ago(40, refreshed(8)), ago(20, refreshed(9))];
  const lanes = (of: EntryView[]) => draw(...of).bars.map((bar) => [bar.generation, bar.lane]);
  expect(lanes(late)).toEqual([
    [8, 1],
    [9, 0],
  ]);
  expect(lanes([ago(60, refreshed(7)), ...late]).slice(1)).toEqual(lanes(late));
});

test("bars are cut at the edge, and those that ended before it are gone", () => {
  const { bars } = draw(ago(140, refreshed(1)), ago(200, refreshed(0)));
  expect(bars.map(({ x, w }) => [x, w])).toEqual([[0, 100]]);
});

test("a token of which nobody said how long it lives has no end but its refusal or the next one", () => {
  const assumed = (generation: number): Note => ({ ...refreshed(generation, 5), source: "assumed" }) as Note;
  const { bars } = draw(ago(60, assumed(1)), ago(40, assumed(2)));
  expect(bars.map(({ x, w, current, assumed }) => [x, w, current, assumed])).toEqual([
    [600, 200, false, true],
    [800, 640, true, true],
  ]);
  const rejected = ago(30, { kind: "rejected", path: "/a", status: 401, generation: 2 });
  expect(draw(ago(40, assumed(2)), rejected).bars[0]).toMatchObject({ w: 100, current: false });
  expect(draw(ago(40, refreshed(1))).bars[0]?.assumed).toBe(false);
});

test("a refused token, a sign-out and a lost sign-in end a bar", () => {
  const rejected = ago(50, { kind: "rejected", path: "/a", status: 401, generation: 1 });
  expect(draw(ago(60, refreshed(1)), rejected).bars[0]?.w).toBe(100);
  expect(draw(ago(20, refreshed(1)), ago(10, { kind: "signed_out" })).bars[0]).toMatchObject({
    w: 100,
    current: false,
  });
  expect(draw(ago(20, refreshed(1)), ago(5, { kind: "needs_login", why: "refused" })).bars[0]?.w).toBe(150);
});

test("a sign-in without an access token has no bar", () => {
  const note: Note = {
    kind: "signed_in",
    user: null,
    generation: null,
    lifetime_ms: null,
    source: "told",
    took_ms: 1,
  };
  const drawn = draw(ago(20, note));
  expect([drawn.bars, drawn.refreshes, drawn.empty]).toEqual([[], [], false]);
});

test("sleep is the time before the waking, cut at the edge", () => {
  const woke = (slept_s: number) => ago(100, { kind: "woke", slept_ms: slept_s * 1000 });
  expect(draw(woke(10)).sleeps[0]).toMatchObject({ x: 100, w: 100 });
  expect(draw(woke(22_320)).sleeps[0]).toMatchObject({ x: 0, w: 200 });
});

test("heartbeats are thinned where they would touch, bad ones never; all are counted", () => {
  const beats = Array.from({ length: 20 }, (_, at) =>
    ago(30 - at * 0.1, { kind: "heartbeat", good: at !== 5, took_ms: 4 }),
  );
  const drawn = draw(...beats);
  expect(drawn.heartbeats.map((beat) => beat.good)).toEqual([true, false]);
  expect(drawn.counts.heartbeats).toBe(20);
});

test("however much has happened, no more is drawn than can be told apart, and all is counted", () => {
  const kept: Note = {
    kind: "kept",
    cause: "asked",
    trouble: "offline",
    status: null,
    failures: 1,
    retry_in_ms: 1000,
  };
  const kinds = [refreshed(1), kept, { kind: "needs_login", why: "refused" } as const, refreshed(2)];
  const all = Array.from({ length: 20_000 }, (_, at) => ago(3600 - at * 0.18, kinds[at % 4] as Note));
  const drawn = strip(chronicle(all), NOW, null, 720);
  const { bars, refreshes, failures, counts } = drawn;
  expect([counts.refreshes, counts.failures]).toEqual([10_000, 10_000]);
  for (const marks of [bars, refreshes, failures.filter(({ person }) => person)]) {
    expect(marks.length).toBeGreaterThan(100);
    expect(marks.length).toBeLessThan(200);
  }
  expect(bars.at(-1)?.current).toBe(true);
});

test("failures are marked, and a person's turn differently", () => {
  const kept: Note = {
    kind: "kept",
    cause: "asked",
    trouble: "offline",
    status: null,
    failures: 1,
    retry_in_ms: 1000,
  };
  const { failures } = draw(ago(30, kept), ago(20, { kind: "needs_login", why: "refused" }));
  expect(failures.map(({ x, person }) => [x, person])).toEqual([
    [900, false],
    [1000, true],
  ]);
});

test("everything loaded reaches back to the oldest entry, and at least a minute", () => {
  const long = strip(chronicle([ago(7200, refreshed(1)), ago(3600, refreshed(2))]), NOW, null, 1200);
  expect(long.refreshes.map((each) => each.x)).toEqual([0, 500]);
  const short = strip(chronicle([ago(6, refreshed(1))]), NOW, null, 720);
  expect(short.refreshes[0]?.x).toBe(540);
});

test("ticks keep their distance at any width and range", () => {
  for (const span of [60_000, 180_000, 1_800_000, 86_400_000, 2_600_000_000]) {
    for (const width of [280, 720, 1600]) {
      const { ticks } = strip(chronicle([]), NOW, span, width);
      for (let at = 1; at < ticks.length; at += 1) {
        expect((ticks[at]?.x ?? 0) - (ticks[at - 1]?.x ?? 0)).toBeGreaterThan(100);
      }
    }
  }
});

test("the order of the entries does not matter", () => {
  const entries = [ago(60, refreshed(1)), ago(40, refreshed(2)), ago(20, { kind: "signed_out" })];
  expect(draw(...entries)).toEqual(draw(...entries.toReversed()));
});
