import { batch, computed, signal } from "@preact/signals";
import type { Bench, EntryView, FailureView, Fetched, OverviewView, SessionView } from "./api.ts";
import { type Blame, isMended, isOfAbsence } from "./blame.ts";
import type { Host, Keeper, Settings } from "./host.ts";
import { type Log, withNewer } from "./log.ts";
import { language } from "./words.ts";

/** One way only: the host tells, these signals change, the views follow. What a person does is in actions.ts. */

export const TABS = ["overview", "data", "timeline", "bench"] as const;
export type Tab = (typeof TABS)[number];

export interface Asked {
  number: number;
  method: string;
  path: string;
  answer: Fetched | null;
  failure: FailureView | null;
}

export const overview = signal<OverviewView | null>(null);
/** The wall clock when the overview came: what the strip calls now. */
export const overviewAt = signal(Date.now());
export const keeper = signal<Keeper>({ connected: true, failure: null });
export const settings = signal<Settings>({
  theme: "system",
  language: "system",
  system_language: "en",
  zoom: 100,
  profile: null,
  tab: null,
});
export const adding = signal(false);
export const settingsOpen = signal(false);
export const problemsHidden = signal("");
/** The day on which it came. */
export const today = computed(() => new Date(overviewAt.value).toDateString());
export const logs = signal<Record<string, Log>>({});
/** Nobody can see the page: nothing is made of what is told until somebody can. */
export const hidden = signal(false);
/** Who was last signed in, for as long as the window is open: after a sign-out the keeper does not know it any more. */
export const users = signal<Record<string, string>>({});
export const asked = signal<Record<string, Asked[]>>({});
export const benches = signal<Record<string, Bench>>({});
/** What is under way and what became of it, by the name of the action and its profile: `login work`. */
export const busy = signal<Record<string, boolean>>({});
export const blames = signal<Record<string, Blame>>({});
/** The sign-ins whose end is awaited, by their profile. */
export const awaited = signal<Record<string, symbol>>({});
/** Where a person signs in who began it here, by their profile. */
export const addresses = signal<Record<string, string>>({});
/** Said by the one live region. */
export const announcement = signal("");

export const selected = computed<SessionView | null>(() => {
  const sessions = overview.value?.sessions ?? [];
  return sessions.find((each) => each.profile === settings.value.profile) ?? sessions[0] ?? null;
});

export const tab = computed<Tab>(() => {
  const wanted = TABS.find((each) => each === settings.value.tab) ?? "overview";
  return wanted === "bench" && !selected.value?.sandbox ? "overview" : wanted;
});

let current: Host | null = null;
/** What was told: what is not shown yet, and the last of what is. */
let news: EntryView[] = [];
let recent: EntryView[] = [];
let late: OverviewView | null = null;
let missed = false;
let frame = 0;

export function host(): Host {
  if (!current) throw new Error("The page was not started.");
  return current;
}

/** Forgets everything and listens to this host from now on. */
export async function start(with_: Host): Promise<() => void> {
  current = with_;
  batch(() => {
    overview.value = null;
    keeper.value = { connected: true, failure: null };
    adding.value = settingsOpen.value = false;
    problemsHidden.value = announcement.value = "";
    logs.value = {};
    users.value = {};
    asked.value = {};
    benches.value = {};
    busy.value = {};
    blames.value = {};
    awaited.value = {};
    addresses.value = {};
    hidden.value = false;
  });
  [news, recent, late, missed] = [[], [], null, false];
  const stop = await with_.listen({ overview: show, entry: write, keeper: meet });
  try {
    adopt(await with_.settings());
  } catch {
    // The page works with its defaults; there is nothing that a person could do about it here.
  }
  try {
    show(await with_.overview());
  } catch (error) {
    keeper.value = { connected: false, failure: asFailure(error) };
  }
  return stop;
}

export function show(told: OverviewView): void {
  if (hidden.value) {
    late = told;
    return;
  }
  batch(() => {
    overview.value = told;
    overviewAt.value = Date.now();
    for (const { profile, user } of told.sessions) {
      if (user !== null && user !== users.value[profile]) users.value = { ...users.value, [profile]: user };
    }
    forgive((name, blame) => {
      const [action, session] = aboutWhat(name, told);
      return session !== null && isMended(action, blame, session);
    });
  });
}

/** Remembers under this name what went wrong, until it is tried again or mended. */
export function blame(name: string, error: unknown): void {
  const [, then] = aboutWhat(name, overview.value);
  blames.value = { ...blames.value, [name]: { failure: asFailure(error), then } };
}

function aboutWhat(name: string, told: OverviewView | null): [string, SessionView | null] {
  const end = `${name} `.indexOf(" ");
  const profile = name.slice(end + 1);
  return [name.slice(0, end), told?.sessions.find((each) => each.profile === profile) ?? null];
}

function forgive(isForgiven: (name: string, blame: Blame) => boolean): void {
  const left = Object.entries(blames.value).filter(([name, blame]) => !isForgiven(name, blame));
  if (left.length < Object.keys(blames.value).length) blames.value = Object.fromEntries(left);
}

/** Whoever looks again sees what is the case now, and at once what was the case last. */
export function lookAway(away: boolean): void {
  if (hidden.value === away) return;
  batch(() => {
    hidden.value = away;
    if (away) return;
    if (late) show(late);
    late = null;
    catchUp();
  });
  // Where it fails the keeper is away, and that is told without being asked.
  if (!away)
    host()
      .overview()
      .then(show, () => undefined);
}

export function adopt(chosen: Settings): void {
  batch(() => {
    settings.value = chosen;
    language.value = chosen.language === "system" ? chosen.system_language : chosen.language;
  });
}

/** Entries were missed while the keeper was away: the logs are asked for anew. */
function meet(told: Keeper): void {
  batch(() => {
    if (told.connected && !keeper.value.connected) {
      logs.value = {};
      forgive((_, { failure }) => isOfAbsence(failure));
    }
    keeper.value = told;
  });
}

/** However many come at once, the page is drawn once. */
function write(entry: EntryView): void {
  news.push(entry);
  if (news.length > MOST_NEWS) {
    news = news.slice(-KEPT_NEWS);
    missed = true;
  }
  if (!hidden.value) frame ||= requestAnimationFrame(catchUp);
}

function catchUp(): void {
  cancelAnimationFrame(frame);
  frame = 0;
  if (news.length === 0) return;
  if (missed) {
    logs.value = {};
  } else {
    const next = Object.entries(logs.value).map(([profile, log]) => [profile, upToDate(profile, log)]);
    logs.value = Object.fromEntries(next);
  }
  recent = [...recent, ...news].slice(-KEPT_NEWS);
  news = [];
  missed = false;
}

/** With what was told and is not in it: its reading may have begun before that was written, and ended after. */
export function upToDate(profile: string, log: Log): Log {
  const concerns = concerning(profile);
  return withNewer(log, [...recent, ...news].filter(concerns));
}

/** What concerns the keeper itself belongs to every session's log, and what concerns a host to those that are there. */
export function concerning(profile: string): (entry: EntryView) => boolean {
  const session = overview.value?.sessions.find((each) => each.profile === profile);
  return ({ profile: whose, note }) => {
    if (whose === null && note.kind === "breaker_opened") return note.host === session?.host;
    return whose === null || whose === profile;
  };
}

export function asFailure(error: unknown): FailureView {
  if (typeof error === "object" && error !== null && "code" in error) {
    return error as FailureView;
  }
  const details = { problem: String(error) };
  const says = { en: details.problem, "zh-CN": details.problem };
  return { code: "internal", profile: null, details, retry_in_ms: null, says, next: { en: "", "zh-CN": "" } };
}

/** More than that at once, or unseen, and the journal is read anew. */
const MOST_NEWS = 1000;
const KEPT_NEWS = 100;
