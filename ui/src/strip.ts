import type { Entry } from "./api.ts";

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
  refreshes: { x: number; entry: Entry }[];
  heartbeats: { x: number; entry: Entry; good: boolean }[];
  failures: { x: number; entry: Entry; person: boolean }[];
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

/** `span_ms` of the past, or as far back as the entries go when it is `null`; in any order. */
export function strip(entries: Entry[], now_ms: number, span_ms: number | null, width: number): Strip {
  const old = [...entries].sort((a, b) => a.at_ms - b.at_ms || a.id - b.id);
  const past = span_ms ?? Math.max(MINUTE, now_ms - (old[0]?.at_ms ?? now_ms));
  const from = now_ms - past;
  const to = now_ms + past * FUTURE;
  const x = (at: number) => round(((at - from) / (to - from)) * width);
  const seen = old.filter((entry) => entry.at_ms >= from && entry.at_ms <= to);

  const drawn: Strip = {
    bars: bars(old, now_ms)
      .filter((bar) => bar.end > from && bar.start < to)
      .map(({ start, end, ...bar }) => {
        const left = x(Math.max(start, from));
        return { ...bar, x: left, w: round(Math.max(2, x(Math.min(end, to)) - left)) };
      }),
    refreshes: [],
    heartbeats: [],
    failures: [],
    sleeps: [],
    ticks: ticks(from, to, width).map((tick) => ({ ...tick, x: x(tick.at_ms) })),
    now: x(now_ms),
    empty: seen.length === 0,
    counts: { refreshes: 0, heartbeats: 0, failures: 0, sleeps: 0 },
  };
  let lastBeat = Number.NEGATIVE_INFINITY;
  for (const entry of seen) {
    const at = x(entry.at_ms);
    const { note } = entry;
    if (note.kind === "refreshed" || (note.kind === "signed_in" && note.lifetime_ms !== null)) {
      drawn.refreshes.push({ x: at, entry });
    } else if (note.kind === "heartbeat") {
      drawn.counts.heartbeats += 1;
      if (note.good && at - lastBeat < BEAT_ROOM) continue;
      lastBeat = at;
      drawn.heartbeats.push({ x: at, entry, good: note.good });
    } else if (FAILURES.has(note.kind)) {
      drawn.failures.push({ x: at, entry, person: note.kind === "needs_login" });
    }
  }
  for (const { note, at_ms } of old) {
    if (note.kind !== "woke" || at_ms < from) continue;
    const left = x(Math.max(at_ms - note.slept_ms, from));
    drawn.sleeps.push({ x: left, w: round(Math.max(3, x(at_ms) - left)), slept_ms: note.slept_ms });
  }
  drawn.counts.refreshes = drawn.refreshes.length;
  drawn.counts.failures = drawn.failures.length;
  drawn.counts.sleeps = drawn.sleeps.length;
  return drawn;
}

interface Bar {
  start: number;
  end: number;
  lane: 0 | 1;
  current: boolean;
  generation: number | null;
  lifetime_ms: number;
  assumed: boolean;
}

/**
 * A token lives for its lifetime, unless the provider refuses it or the session ends before. One of which nobody said
 * how long it lives is used until the next one comes.
 */
function bars(old: Entry[], now_ms: number): Bar[] {
  const made: Bar[] = [];
  for (const { at_ms, note } of old) {
    const last = made.at(-1);
    if (note.kind === "refreshed" || note.kind === "signed_in") {
      if (note.lifetime_ms === null) continue;
      const lane = last?.lane === 0 ? 1 : 0;
      const { generation, lifetime_ms } = note;
      const assumed = note.source === "assumed";
      if (last?.assumed) last.end = Math.min(last.end, at_ms);
      const end = assumed ? Number.POSITIVE_INFINITY : at_ms + lifetime_ms;
      made.push({ start: at_ms, end, lane, current: false, generation, lifetime_ms, assumed });
    } else if (note.kind === "rejected") {
      const refused = made.findLast((bar) => bar.generation === note.generation);
      if (refused) refused.end = Math.min(refused.end, at_ms);
    } else if (note.kind === "signed_out" || note.kind === "needs_login") {
      if (last) last.end = Math.min(last.end, at_ms);
    }
  }
  // Lanes are handed out from the oldest entry on; by generation they stay where they are when older ones are loaded.
  for (const bar of made) if (bar.generation !== null) bar.lane = bar.generation % 2 === 0 ? 1 : 0;
  const last = made.at(-1);
  if (last && last.end > now_ms) last.current = true;
  return made;
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
