import { expect, test } from "vitest";
import type { EntryView } from "../src/api.ts";
import {
  BLOCK,
  entriesOf,
  KEPT,
  type Log,
  logOf,
  MOST,
  newest,
  withNewer,
  withOlder,
  withoutPast,
} from "../src/log.ts";
import { entryOf } from "./page.tsx";

const entry = (id: number): EntryView => entryOf(id, id, { kind: "restored" });
/** Newest first. */
const page = (from: number, to: number) => Array.from({ length: from - to + 1 }, (_, at) => entry(from - at));
const part = (from: number, to: number, complete = false) => ({
  entries: page(from, to),
  reach: to,
  complete,
});
const ids = (log: Log) => [...entriesOf(log)].map(({ id }) => id);

test("what is written comes first, once, and changes one block only", () => {
  const log = logOf(part(200, 1, true));
  const next = withNewer(log, [entry(200), entry(201), entry(202)]);
  expect(ids(next)).toEqual([202, 201, ...ids(log)]);
  expect(next.blocks.slice(1)).toEqual(log.blocks);
  for (const [at, block] of log.blocks.entries()) expect(next.blocks[at + 1]).toBe(block);
  const again = withNewer(next, [entry(203)]);
  for (const [at, block] of next.blocks.entries()) if (at > 0) expect(again.blocks[at]).toBe(block);
  expect(again.blocks.map(({ number }) => number)).toEqual([-1, 0, 1, 2, 3, 4, 5, 6, 7]);
  expect(withNewer(log, [entry(7)])).toBe(log);
  expect([next.complete, next.size]).toEqual([true, 202]);
});

test("a log that goes on for days stays as long as it is", () => {
  let log = logOf(part(200, 1, true));
  for (let id = 201; id <= 100_000; id += 1) log = withNewer(log, [entry(id)]);
  expect(newest(log)?.id).toBe(100_000);
  expect(log.size).toBeGreaterThanOrEqual(KEPT);
  expect(log.size).toBeLessThan(KEPT + BLOCK);
  expect(ids(log).length).toBe(log.size);
  expect([log.complete, log.reach]).toEqual([false, 100_001 - log.size]);
  expect(log.blocks.length).toBeLessThan(KEPT / BLOCK + 2);
});

test("what somebody asked for stays while it is read, and then goes", () => {
  let log = logOf(part(30_000, 29_801));
  for (let from = 29_800; from > 0; from -= 200) log = withOlder(log, part(from, from - 199, from === 200));
  expect(log.size).toBe(MOST);
  expect(log.complete).toBe(false);
  log = withNewer(log, [entry(30_001)]);
  expect(log.size).toBeGreaterThan(MOST - BLOCK);
  const less = withoutPast(log);
  expect([less.size, less.complete, newest(less)?.id]).toEqual([KEPT + 1, false, 30_001]);
  expect(withoutPast(less)).toEqual(less);
});

test("an empty log begins with what is written", () => {
  const log = withNewer(logOf({ entries: [], reach: null, complete: true }), [entry(1), entry(2)]);
  expect([ids(log), log.complete, log.reach]).toEqual([[2, 1], true, null]);
});

test("a page of which nothing belongs here is gone over", () => {
  const log = withOlder(logOf(part(200, 101)), { entries: [], reach: 1, complete: false });
  expect([log.size, log.reach]).toEqual([100, 1]);
});
