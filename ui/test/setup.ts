import { afterEach, beforeEach } from "vitest";
import { adopt } from "../src/state.ts";

// One of the tests runs without a document.
const page = globalThis.document as Document | undefined;

beforeEach(() => {
  if (page) page.title = "Pilotlight";
  page?.documentElement.setAttribute("lang", "en");
  adopt({ theme: "system", language: "en", system_language: "en", zoom: 100, profile: null, tab: null });
});

afterEach(() => page?.body.replaceChildren());
