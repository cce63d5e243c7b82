import { saveSettings } from "./actions.ts";
import { settings } from "./state.ts";

/** Larger and smaller by the keys and the wheel of every browser; the program around the page draws it so. */
export function zoomByKeys(on: Document): void {
  on.addEventListener("keydown", (event) => {
    if (!event.ctrlKey || event.altKey || event.metaKey) return;
    const to = wanted(event.key, settings.value.zoom);
    if (to === null) return;
    event.preventDefault();
    zoomTo(to);
  });
  on.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey || event.deltaY === 0) return;
      event.preventDefault();
      zoomTo(next(event.deltaY < 0 ? 1 : -1, settings.value.zoom));
    },
    { passive: false },
  );
}

function wanted(key: string, now: number): number | null {
  switch (key) {
    case "+":
    case "=":
      return next(1, now);
    case "-":
    case "_":
      return next(-1, now);
    case "0":
      return NORMAL;
    default:
      return null;
  }
}

function next(by: 1 | -1, now: number): number {
  const steps = by > 0 ? STEPS : STEPS.toReversed();
  return steps.find((step) => (step - now) * by > 0) ?? now;
}

function zoomTo(zoom: number): void {
  if (zoom !== settings.value.zoom) void saveSettings({ zoom });
}

const NORMAL = 100;
const STEPS = [50, 67, 80, 90, 100, 110, 125, 150, 175, 200, 250, 300];
