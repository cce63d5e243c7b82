import { batch, type Signal } from "@preact/signals";
import type { BenchChange, Discovery, Draft, Way } from "./api.ts";
import type { Settings } from "./host.ts";
import { logOf, type Part, withOlder, withoutPast } from "./log.ts";
import * as state from "./state.ts";
import { host } from "./state.ts";
import { t } from "./words.ts";

export function select(profile: string): void {
  state.adding.value = false;
  void saveSettings({ profile });
}

export function openTab(tab: state.Tab): void {
  void saveSettings({ tab });
}

export async function saveSettings(change: Partial<Settings>): Promise<void> {
  state.adopt({ ...state.settings.value, ...change });
  await attempt("settings", () => host().saveSettings({ settings: state.settings.value }));
}

export async function login(profile: string, username: string, password: string): Promise<boolean> {
  const told = await attempt(`login ${profile}`, () => host().login({ profile, username, password }));
  if (told) state.show(told);
  return told !== undefined;
}

/** Begins a sign-in that ends at the provider's page, in place of one that is under way, and waits for its end. */
export async function signIn(profile: string, way: Way): Promise<void> {
  forgetSignIn(profile);
  const begun = await attempt(`sign-in ${profile}`, () => host().signIn({ profile, way }));
  if (!begun) return;
  const { overview: told, address, unopened } = begun;
  batch(() => {
    state.show(told);
    if (address) put(state.addresses, profile, address);
    if (unopened) state.blame(`sign-in ${profile}`, unopened);
  });
  const pending = told.sessions.find((each) => each.profile === profile)?.pending;
  if (pending?.way === "device") {
    const { user_code: code, verification_uri: address } = pending;
    state.announcement.value = t("ui.say.code", { profile, code, address });
  }
  await finishSignIn(profile);
}

/**
 * Waits for the end of the sign-in that somebody is at, so that what it fails with is told. What becomes of one that
 * was given up here, or began anew, is no news to anybody.
 */
export async function finishSignIn(profile: string): Promise<void> {
  if (state.awaited.value[profile]) return;
  const mine = Symbol(profile);
  put(state.awaited, profile, mine);
  const current = () => state.awaited.value[profile] === mine;
  try {
    const told = await host().finishSignIn({ profile });
    if (current()) state.show(told);
  } catch (error) {
    if (current()) state.blame(`sign-in ${profile}`, error);
  } finally {
    if (current()) forgetSignIn(profile);
  }
}

function forgetSignIn(profile: string): void {
  forget(state.awaited, profile);
  forget(state.addresses, profile);
}

export async function cancelSignIn(profile: string): Promise<void> {
  forgetSignIn(profile);
  const told = await attempt(`sign-in ${profile}`, () => host().cancelSignIn({ profile }));
  if (told) state.show(told);
}

/** Takes the address at which a browser on another machine has ended. */
export async function landSignIn(profile: string, address: string): Promise<void> {
  await attempt(`sign-in ${profile}`, () => host().landSignIn({ profile, address }));
}

/** Opens what is stored. */
export async function unlock(passphrase: string | null): Promise<boolean> {
  const told = await attempt("unlock", () => host().unlock({ passphrase }));
  if (told) state.show(told);
  return told !== undefined;
}

export async function openVerification(profile: string): Promise<void> {
  await attempt(`sign-in ${profile}`, () => host().openVerification({ profile }));
}

export async function logout(profile: string, browser = false): Promise<void> {
  await attempt(`logout ${profile}`, () => host().logout({ profile, browser }));
}

export async function refresh(profile: string): Promise<void> {
  const told = await attempt(`refresh ${profile}`, () => host().refresh({ profile }));
  if (!told) return;
  state.show(told);
  const phase = told.sessions.find((each) => each.profile === profile)?.phase.name;
  if (phase === "Fresh") state.announcement.value = t("ui.say.refreshed", { profile });
}

/** Asks a provider what it says about itself. */
export function discover(issuer: string, allow_http: boolean): Promise<Discovery | undefined> {
  return attempt("discover", () => host().discover({ issuer, allow_http }));
}

export async function add(draft: Draft): Promise<boolean> {
  const told = await attempt("add", () => host().addSession({ draft }));
  if (!told) return false;
  batch(() => {
    state.show(told);
    state.adding.value = false;
  });
  await saveSettings({ profile: draft.profile, tab: "overview" });
  return true;
}

export async function remove(profile: string): Promise<boolean> {
  const told = await attempt(`remove ${profile}`, () => host().removeSession({ profile }));
  if (!told) return false;
  state.show(told);
  batch(() => {
    forget(state.logs, profile);
    forget(state.users, profile);
    forget(state.asked, profile);
    forget(state.benches, profile);
  });
  return true;
}

/** Asks `count` times at once, each answer shown as it comes. */
export async function ask(profile: string, method: string, path: string, count = 1): Promise<void> {
  const row = Array.from({ length: count }, (_, at) => ({
    number: at + 1,
    method,
    path,
    answer: null,
    failure: null,
  }));
  put(state.asked, profile, row);
  await Promise.all(
    row.map(async ({ number }) => {
      const change: Partial<state.Asked> = await host()
        .fetchResource({ profile, method, path, body: null })
        .then(
          (answer) => ({ answer }),
          (error) => ({ failure: state.asFailure(error) }),
        );
      const now = state.asked.value[profile];
      // Something else was asked meanwhile.
      if (now?.length !== count || now[0]?.path !== path || now[0]?.method !== method) return;
      put(
        state.asked,
        profile,
        now.map((each) => (each.number === number ? { ...each, ...change } : each)),
      );
    }),
  );
}

export async function loadLog(profile: string): Promise<void> {
  if (state.logs.value[profile]) return;
  const part = await read(profile, null);
  if (part && !state.logs.value[profile]) {
    put(state.logs, profile, state.upToDate(profile, logOf(part)));
  }
}

export async function loadOlder(profile: string): Promise<void> {
  const part = await read(profile, state.logs.value[profile]?.reach ?? null);
  const log = state.logs.value[profile];
  if (part && log) put(state.logs, profile, withOlder(log, part));
}

/** Nobody reads in the past of this session any more. */
export function forgetPast(profile: string): void {
  const log = state.logs.value[profile];
  if (log) put(state.logs, profile, withoutPast(log));
}

async function read(profile: string, before: number | null): Promise<Part | undefined> {
  const all = await attempt(`log ${profile}`, () => host().log({ profile, before, limit: PAGE }));
  return (
    all && {
      entries: all.filter(state.concerning(profile)),
      reach: all.at(-1)?.id ?? null,
      complete: all.length < PAGE,
    }
  );
}

/** What went wrong before is no news to who begins again. */
export function forgetFailures(...names: string[]): void {
  for (const name of names) forget(state.blames, name);
}

export async function loadBench(profile: string): Promise<void> {
  const bench = await attempt(`bench ${profile}`, () => host().bench({ profile }));
  if (bench) put(state.benches, profile, bench);
}

export async function setBench(profile: string, change: BenchChange): Promise<boolean> {
  const bench = await attempt(`bench ${profile}`, () => host().setBench({ profile, change }));
  if (bench) put(state.benches, profile, bench);
  return bench !== undefined;
}

/** Runs one thing at a time under this name; what it fails with stays until the next try. */
async function attempt<T>(name: string, run: () => Promise<T>): Promise<T | undefined> {
  batch(() => {
    put(state.busy, name, true);
    forget(state.blames, name);
  });
  try {
    return await run();
  } catch (error) {
    state.blame(name, error);
    return undefined;
  } finally {
    forget(state.busy, name);
  }
}

function put<T>(into: Signal<Record<string, T>>, key: string, value: T): void {
  into.value = { ...into.value, [key]: value };
}

function forget<T>(from: Signal<Record<string, T>>, key: string): void {
  const { [key]: _, ...rest } = from.value;
  from.value = rest as Record<string, T>;
}

const PAGE = 200;
