import { language, t } from "./words.ts";

/** What was measured: "38 ms", "1.4 s", "12 s", "6 h 12 min". */
export function measured(ms: number): string {
  if (ms < 1000) return t("unit.ms", { n: Math.round(ms) });
  if (ms < 9950) return t("unit.s", { n: String(Math.round(ms / 100) / 10) });
  return span(ms);
}

/** What is left or has passed, in the steps in which a person thinks. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return t("unit.s", { n: seconds });
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10 && seconds % 60 > 0) return t("unit.min_s", { min: minutes, s: seconds % 60 });
  if (minutes < 60) return t("unit.min", { n: minutes });
  const hours = Math.floor(minutes / 60);
  if (hours < 48 && minutes % 60 > 0) return t("unit.h_min", { h: hours, min: minutes % 60 });
  if (hours < 48) return t("unit.h", { n: hours });
  return t("unit.days", { n: Math.floor(hours / 24) });
}

/** A countdown: "0:21" below ten minutes, in words above. */
export function clock(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  if (seconds >= 600) return span(Math.floor(seconds / 60) * 60_000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** A moment of the journal as the wall clock showed it; with the day when that was not today. */
export function moment(at_ms: number, today: string): string {
  return new Date(at_ms).toDateString() === today ? seconds(at_ms) : `${day(at_ms)} ${minutes(at_ms)}`;
}

export function seconds(at_ms: number): string {
  return format({ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }, at_ms);
}

export function minutes(at_ms: number): string {
  return format({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" }, at_ms);
}

export function day(at_ms: number): string {
  return format({ month: "short", day: "numeric" }, at_ms);
}

function format(options: Intl.DateTimeFormatOptions, at_ms: number): string {
  const key = `${language.value} ${Object.keys(options).join()}`;
  let made = formats.get(key);
  if (!made) {
    made = new Intl.DateTimeFormat(language.value, options);
    formats.set(key, made);
  }
  return made.format(at_ms);
}

const formats = new Map<string, Intl.DateTimeFormat>();
