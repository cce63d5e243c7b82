import { effect } from "@preact/signals";
import { render } from "preact";
import { announceChanges } from "./announce.ts";
import type { Host } from "./host.ts";
import { lookAway, settings, start } from "./state.ts";
import { App } from "./views/app.tsx";
import { language } from "./words.ts";
import { zoomByKeys } from "./zoom.ts";

/** The page of this host, in the document's place for it. */
export async function open(host: Host): Promise<void> {
  effect(() => {
    document.documentElement.lang = language.value;
  });
  effect(() => {
    document.documentElement.dataset.theme = settings.value.theme;
  });
  announceChanges();
  zoomByKeys(document);
  const place = document.getElementById("app");
  if (place) render(<App />, place);
  await start(host);
  heedSight();
}

/** Whether anybody can see the page is the web view's to say. */
export function heedSight(): () => void {
  const look = () => lookAway(document.visibilityState === "hidden");
  document.addEventListener("visibilitychange", look);
  look();
  return () => document.removeEventListener("visibilitychange", look);
}
