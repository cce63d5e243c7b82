import { expect, test } from "vitest";
import { clock, measured, moment, span } from "../src/format.ts";
import { language } from "../src/words.ts";

test.each([
  [0, "0 ms"],
  [38.4, "38 ms"],
  [999, "999 ms"],
  [1_400, "1.4 s"],
  [2_000, "2 s"],
  [9_960, "10 s"],
  [61_000, "1 min 1 s"],
])("what took %d ms took %s", (ms, text) => {
  expect(measured(ms)).toBe(text);
});

test.each([
  [0, "0 s"],
  [-5, "0 s"],
  [20_600, "21 s"],
  [59_600, "1 min"],
  [200_000, "3 min 20 s"],
  [42 * 60_000 + 7_000, "42 min"],
  [22_320_000, "6 h 12 min"],
  [3_600_000, "1 h"],
  [29 * 86_400_000, "29 days"],
])("%d ms are a span of %s", (ms, text) => {
  expect(span(ms)).toBe(text);
});

test.each([
  [0, "0:00"],
  [20_100, "0:21"],
  [62_000, "1:02"],
  [599_000, "9:59"],
  [2_550_000, "42 min"],
  [35_600_000, "9 h 53 min"],
])("%d ms count down as %s", (ms, text) => {
  expect(clock(ms)).toBe(text);
});

test("Chinese has its own units", () => {
  language.value = "zh-CN";
  expect([measured(38), measured(1400), span(22_320_000)]).toEqual(["38 毫秒", "1.4 秒", "6 小时 12 分"]);
});

test("a moment of another day says the day", () => {
  const at = new Date(2026, 10, 20, 14, 2, 31).getTime();
  const on = (day: number) => moment(at, new Date(2026, 10, day).toDateString());
  expect([on(20), on(21)]).toEqual(["14:02:31", "Nov 20 14:02"]);
});
