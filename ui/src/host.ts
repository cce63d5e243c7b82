import { invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";
import type {
  Bench,
  BenchChange,
  Discovery,
  Draft,
  EntryView,
  FailureView,
  Fetched,
  OverviewView,
  Way,
} from "./api.ts";
import type { Language } from "./words.ts";

/** Everything that the page can ask of the program around it. Each may reject with a [`FailureView`]. */
export interface Host {
  overview(): Promise<OverviewView>;
  /** Newest first. */
  log(query: { profile: string | null; before: number | null; limit: number }): Promise<EntryView[]>;
  login(who: { profile: string; username: string; password: string }): Promise<OverviewView>;
  /** Begins a sign-in at a browser, which is opened where the way wants one; the rest is `finishSignIn`. */
  signIn(of: { profile: string; way: Way }): Promise<Begun>;
  /** Waits for the end of the sign-in, which takes as long as the person takes. */
  finishSignIn(of: { profile: string }): Promise<OverviewView>;
  cancelSignIn(of: { profile: string }): Promise<OverviewView>;
  /** Where the browser of a sign-in has ended that could not come here; the rest is `finishSignIn`. */
  landSignIn(of: { profile: string; address: string }): Promise<void>;
  /** Opens the page on which the code is entered, here. */
  openVerification(of: { profile: string }): Promise<void>;
  /** With `browser` also in the browser, where a page of the provider is opened for it. */
  logout(of: { profile: string; browser: boolean }): Promise<void>;
  refresh(of: { profile: string }): Promise<OverviewView>;
  fetchResource(what: FetchArgs): Promise<Fetched>;
  /** Saves nothing. */
  discover(of: { issuer: string; allow_http: boolean }): Promise<Discovery>;
  addSession(of: { draft: Draft }): Promise<OverviewView>;
  removeSession(of: { profile: string }): Promise<OverviewView>;
  bench(of: { profile: string }): Promise<Bench>;
  setBench(of: { profile: string; change: BenchChange }): Promise<Bench>;
  /** Without a passphrase a dialog of the keyring may open. */
  unlock(by: { passphrase: string | null }): Promise<OverviewView>;
  settings(): Promise<Settings>;
  saveSettings(of: { settings: Settings }): Promise<void>;
  /** Tells of what happens unasked, until the answered function is called. */
  listen(to: Listener): Promise<() => void>;
}

export interface Begun {
  overview: OverviewView;
  /** What was opened in the browser, for a person who wants to do that by hand. */
  address: string | null;
  /** Why it was not opened. The sign-in goes on all the same. */
  unopened: FailureView | null;
}

export interface FetchArgs {
  profile: string;
  method: string;
  path: string;
  body: string | null;
}

export interface Listener {
  overview(overview: OverviewView): void;
  entry(entry: EntryView): void;
  keeper(keeper: Keeper): void;
}

export interface Keeper {
  connected: boolean;
  failure: FailureView | null;
}

export interface Settings {
  theme: "system" | "light" | "dark";
  language: "system" | Language;
  system_language: Language;
  /** How large everything is drawn, in percent. */
  zoom: number;
  profile: string | null;
  tab: string | null;
}

/** The program around the page. */
export function windowHost(): Host {
  return {
    overview: () => invoke("overview"),
    log: (query) => invoke("log", query),
    login: (who) => invoke("login", who),
    signIn: (of) => invoke("sign_in", of),
    finishSignIn: (of) => invoke("finish_sign_in", of),
    cancelSignIn: (of) => invoke("cancel_sign_in", of),
    landSignIn: (of) => invoke("land_sign_in", of),
    openVerification: (of) => invoke("open_verification", of),
    logout: (of) => invoke("logout", of),
    refresh: (of) => invoke("refresh", of),
    fetchResource: (what) => invoke("fetch_resource", { ...what }),
    discover: (of) => invoke("discover", of),
    addSession: (of) => invoke("add_session", of),
    removeSession: (of) => invoke("remove_session", of),
    bench: (of) => invoke("bench", of),
    setBench: (of) => invoke("set_bench", of),
    unlock: (by) => invoke("unlock", by),
    settings: () => invoke("settings"),
    saveSettings: (of) => invoke("save_settings", of),
    listen: async (to) => {
      const stops = await Promise.all([
        listen<OverviewView>("overview", (event) => to.overview(event.payload)),
        listen<EntryView>("entry", (event) => to.entry(event.payload)),
        listen<Keeper>("keeper", (event) => to.keeper(event.payload)),
      ]);
      return () => {
        for (const stop of stops) stop();
      };
    },
  };
}
