import { afterEach, beforeEach } from "vitest";
import { adopt } from "../src/state.ts";

beforeEach(() => {
  document.documentElement.lang = "en";
  document.title = "Pilotlight";
  adopt({ theme: "system", language: "en", system_language: "en", profile: null, tab: null });
});

afterEach(() => {
  document.body.replaceChildren();
});
