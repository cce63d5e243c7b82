import type { EntryView } from "./api.ts";

/** What the timeline draws, in pixels. Made from the journal alone, whose times are the wall clock's. */
export interface Strip {
  bars: {
    x: number;
    w: number;
    lane: 0 | 1;
    current: boolean;
    generation: number | null;
    lifetime_ms: number;
    /** Nobody said how long it lives, so that nobody knows where it ends. */
    assumed: boolean;
  }[];
  refreshes: { x: number; entry: EntryView }[];
  heartbeats: { x: number; entry: EntryView; good: boolean }[];
  failures: { x: number; entry: EntryView; person: boolean }[];
  sleeps: { x: number; w: number; slept_ms: number }[];
  ticks: Tick[];
  now: number;
  empty: boolean;
  counts: { refreshes: number; heartbeats: number; failures: number; sleeps: number };
}

export interface Tick {
  x: number;
  at_ms: number;
  unit: "second" | "minute" | "day";
}

/** The entries in the order in which they happened, and what lasts longer than a moment. Made once for each log. */
export interface Chronicle {
  old: EntryView[];
  bars: Bar[];
  sleeps: { start: number; end: number }[];
}

/** Of entries in any order. */
export function chronicle(entries: Iterable<EntryView>): Chronicle {
  const old = [...entries].sort((a, b) => a.at_ms - b.at_ms || a.id - b.id);
  const sleeps = [];
  for (const { note, at_ms } of old) {
    if (note.kind === "woke") sleeps.push({ start: at_ms - note.slept_ms, end: at_ms });
  }
  return { old, bars: bars(old), sleeps };
}

/** Of `span_ms` of the past, or as far back as the entries go when it is `null`. */
export function strip(told: Chronicle, now_ms: number, span_ms: number | null, width: number): Strip {
  const past = span_ms ?? Math.max(MINUTE, now_ms - (told.old[0]?.at_ms ?? now_ms));
  const from = now_ms - past;
  const to = now_ms + past * FUTURE;
  const x = (at: number) => round(((at - from) / (to - from)) * width);
  const drawn: Strip = {
    bars: wide(told.bars, from, to, now_ms, x),
    refreshes: [],
    heartbeats: [],
    failures: [],
    sleeps: told.sleeps
      .filter(({ end }) => end >= from && end <= to)
      .map(({ start, end }) => {
        const left = x(Math.max(start, from));
        return { x: left, w: round(Math.max(3, x(end) - left)), slept_ms: end - start };
      }),
    ticks: ticks(from, to, width).map((tick) => ({ ...tick, x: x(tick.at_ms) })),
    now: x(now_ms),
    empty: true,
    counts: { refreshes: 0, heartbeats: 0, failures: 0, sleeps: 0 },
  };
  const { counts } = drawn;
  counts.sleeps = drawn.sleeps.length;
  const last = { refresh: NOTHING, beat: NOTHING, badBeat: NOTHING, failure: NOTHING, person: NOTHING };
  for (let at = firstFrom(told.old, from); at < told.old.length; at += 1) {
    const entry = told.old[at] as EntryView;
    if (entry.at_ms > to) break;
    drawn.empty = false;
    const place = x(entry.at_ms);
    const { note } = entry;
    if (note.kind === "refreshed" || (note.kind === "signed_in" && note.lifetime_ms !== null)) {
      counts.refreshes += 1;
      if (place - last.refresh < MARK_ROOM) continue;
      last.refresh = place;
      drawn.refreshes.push({ x: place, entry });
    } else if (note.kind === "heartbeat") {
      counts.heartbeats += 1;
      if (note.good ? place - last.beat < BEAT_ROOM : place - last.badBeat < MARK_ROOM) continue;
      last.beat = place;
      if (!note.good) last.badBeat = place;
      drawn.heartbeats.push({ x: place, entry, good: note.good });
    } else if (FAILURES.has(note.kind)) {
      counts.failures += 1;
      const person = note.kind === "needs_login";
      const kind = person ? "person" : "failure";
      if (place - last[kind] < MARK_ROOM) continue;
      last[kind] = place;
      drawn.failures.push({ x: place, entry, person });
    }
  }
  return drawn;
}

interface Bar {
  start: number;
  end: number;
  lane: 0 | 1;
  generation: number | null;
  lifetime_ms: number;
  assumed: boolean;
}

/**
 * A token lives for its lifetime, unless the provider refuses it or the session ends before. One of which nobody said
 * how long it lives is used until the next one comes.
 */
function bars(old: EntryView[]): Bar[] {
  const made: Bar[] = [];
  const newest = new Map<number | null, Bar>();
  for (const { at_ms, note } of old) {
    const last = made.at(-1);
    if (note.kind === "refreshed" || note.kind === "signed_in") {
      if (note.lifetime_ms === null) continue;
      const lane = last?.lane === 0 ? 1 : 0;
      const { generation, lifetime_ms } = note;
      const assumed = note.source === "assumed";
      if (last?.assumed) last.end = Math.min(last.end, at_ms);
      const end = assumed ? Number.POSITIVE_INFINITY : at_ms + lifetime_ms;
      const bar: Bar = { start: at_ms, end, lane, generation, lifetime_ms, assumed };
      made.push(bar);
      newest.set(generation, bar);
    } else if (note.kind === "rejected") {
      const refused = newest.get(note.generation);
      if (refused) refused.end = Math.min(refused.end, at_ms);
    } else if (note.kind === "signed_out" || note.kind === "needs_login") {
      if (last) last.end = Math.min(last.end, at_ms);
    }
  }
  // Lanes are handed out from the oldest entry on; by generation they stay where they are when older ones are loaded.
  for (const bar of made) if (bar.generation !== null) bar.lane = bar.generation % 2 === 0 ? 1 : 0;
  return made;
}

/** What of the bars is seen. Of those that begin at the same place the newest is drawn. */
function wide(
  all: Bar[],
  from: number,
  to: number,
  now_ms: number,
  x: (at: number) => number,
): Strip["bars"] {
  const last = all.at(-1);
  const drawn: Strip["bars"] = [];
  for (const bar of all) {
    if (bar.end <= from || bar.start >= to) continue;
    const { start, end, ...rest } = bar;
    const left = x(Math.max(start, from));
    const w = round(Math.max(2, x(Math.min(end, to)) - left));
    const current = bar === last && end > now_ms;
    const before = drawn.at(-1);
    if (before && left - before.x < MARK_ROOM) {
      drawn[drawn.length - 1] = { ...rest, x: before.x, w: round(left + w - before.x), current };
    } else {
      drawn.push({ ...rest, x: left, w, current });
    }
  }
  return drawn;
}

/** Where what is not older than that begins. */
function firstFrom(old: EntryView[], from: number): number {
  let low = 0;
  let high = old.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((old[middle] as EntryView).at_ms < from) low = middle + 1;
    else high = middle;
  }
  return low;
}

function ticks(from: number, to: number, width: number): Omit<Tick, "x">[] {
  const step = STEPS.find((each) => (each / (to - from)) * width >= TICK_ROOM) ?? MONTH;
  const unit = step < MINUTE ? "second" : step < DAY ? "minute" : "day";
  const zone = new Date(to).getTimezoneOffset() * MINUTE;
  const made: Omit<Tick, "x">[] = [];
  for (let at = Math.ceil((from - zone) / step) * step + zone; at <= to; at += step) {
    made.push({ at_ms: at, unit });
  }
  return made;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

const FAILURES: ReadonlySet<string> = new Set([
  "breaker_opened",
  "heartbeat_unanswered",
  "kept",
  "needs_login",
  "sign_in_failed",
  "unsaved",
]);
/** How much of the future is shown, as a part of the past: enough to see where the present token ends. */
const FUTURE = 0.2;
const BEAT_ROOM = 20;
/** What is nearer to the one before of its kind than that is counted, and not drawn. */
const MARK_ROOM = 4;
const NOTHING = Number.NEGATIVE_INFINITY;
const TICK_ROOM = 120;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MONTH = 30 * DAY;
const STEPS = [
  10_000,
  30_000,
  MINUTE,
  2 * MINUTE,
  5 * MINUTE,
  10 * MINUTE,
  30 * MINUTE,
  HOUR,
  3 * HOUR,
  6 * HOUR,
  DAY,
  7 * DAY,
];
