import { batch, computed, signal } from "@preact/signals";
import type { Bench, Entry, Failure, Fetched, Overview, SessionView } from "./api.ts";
import type { Host, Keeper, Settings } from "./host.ts";
import { language } from "./words.ts";

/** One way only: the host tells, these signals change, the views follow. What a person does is in actions.ts. */

export const TABS = ["overview", "data", "timeline", "bench"] as const;
export type Tab = (typeof TABS)[number];

export interface Log {
  /** Newest first. */
  entries: Entry[];
  /** There is nothing older. */
  complete: boolean;
}

export interface Asked {
  number: number;
  method: string;
  path: string;
  answer: Fetched | null;
  failure: Failure | null;
}

export const overview = signal<Overview | null>(null);
/** The wall clock when the overview came: what the strip calls now. */
export const overviewAt = signal(Date.now());
export const keeper = signal<Keeper>({ connected: true, failure: null });
export const settings = signal<Settings>({
  theme: "system",
  language: "system",
  system_language: "en",
  profile: null,
  tab: null,
});
export const adding = signal(false);
export const settingsOpen = signal(false);
export const problemsHidden = signal("");
export const logs = signal<Record<string, Log>>({});
export const asked = signal<Record<string, Asked[]>>({});
export const benches = signal<Record<string, Bench>>({});
/** What is under way and what became of it, by the name of the action and its profile: `login work`. */
export const busy = signal<Record<string, boolean>>({});
export const failures = signal<Record<string, Failure>>({});
/** The sign-ins whose end is awaited, by their profile. */
export const awaited = signal<Record<string, symbol>>({});
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
    asked.value = {};
    benches.value = {};
    busy.value = {};
    failures.value = {};
    awaited.value = {};
  });
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

export function show(told: Overview): void {
  batch(() => {
    overview.value = told;
    overviewAt.value = Date.now();
  });
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
    if (told.connected && !keeper.value.connected) logs.value = {};
    keeper.value = told;
  });
}

/** What concerns the keeper itself belongs to every session's log. */
function write(entry: Entry): void {
  const next = { ...logs.value };
  for (const [profile, log] of Object.entries(next)) {
    if (entry.profile !== null && entry.profile !== profile) continue;
    if (log.entries.some((each) => each.id === entry.id)) continue;
    next[profile] = { ...log, entries: [entry, ...log.entries] };
  }
  logs.value = next;
}

export function asFailure(error: unknown): Failure {
  if (typeof error === "object" && error !== null && "code" in error) {
    return { profile: null, details: {}, retry_in_ms: null, ...error } as Failure;
  }
  return { code: "internal", profile: null, details: { problem: String(error) }, retry_in_ms: null };
}
