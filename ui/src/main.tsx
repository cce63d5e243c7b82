import { effect } from "@preact/signals";
import { render } from "preact";
import { announceChanges } from "./announce.ts";
import { findHost } from "./host.ts";
import { settings, start } from "./state.ts";
import { App } from "./views/app.tsx";
import { language } from "./words.ts";

effect(() => {
  document.documentElement.lang = language.value;
});
effect(() => {
  document.documentElement.dataset.theme = settings.value.theme;
});
announceChanges();

const place = document.getElementById("app");
if (place) render(<App />, place);
void findHost().then(start);
