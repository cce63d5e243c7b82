import { expect, test } from "vitest";
import { zoomByKeys } from "../src/zoom.ts";
import { open, overviewOf, sessionOf } from "./page.tsx";

zoomByKeys(document);

test("the keys and the wheel of every browser make it larger and smaller, and back", async () => {
  const page = await open(overviewOf(sessionOf()));
  const zoom = () => page.host.saveSettings.mock.lastCall?.[0].settings.zoom;
  const press = async (key: string, more: KeyboardEventInit = { ctrlKey: true }) => {
    const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more });
    document.body.dispatchEvent(event);
    await page.settle();
    return event.defaultPrevented;
  };
  expect(await press("+", {})).toBe(false);
  expect(await press("a")).toBe(false);
  expect(page.host.saveSettings).not.toHaveBeenCalled();
  const seen = [];
  for (const key of ["+", "=", "0", "-"]) {
    expect(await press(key)).toBe(true);
    seen.push(zoom());
  }
  expect(seen).toEqual([110, 125, 100, 90]);
  for (let at = 0; at < 20; at += 1) await press("-");
  expect(zoom()).toBe(50);
  const wheel = new WheelEvent("wheel", { deltaY: -100, bubbles: true, cancelable: true });
  // The document of these tests forgets the keys of a wheel.
  Object.defineProperty(wheel, "ctrlKey", { value: true });
  document.body.dispatchEvent(wheel);
  await page.settle();
  expect([zoom(), wheel.defaultPrevented]).toEqual([67, true]);
});
