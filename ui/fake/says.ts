import type { Code, FailureView, Note, Says, Trouble } from "../src/api.ts";
import { measured, span } from "../src/format.ts";
import { forecastWords } from "../src/sentences.ts";
import { inLanguage, type Key, known, type Language, type Values } from "../src/words.ts";

type Say = (key: Key, values?: Values) => string;

/** What the window's program says of it, but for the numbers, which are in the page's own language. */
export function says(note: Note): Says {
  return {
    en: noteSentence(note, (key, values) => inLanguage("en", key, values)),
    "zh-CN": noteSentence(note, (key, values) => inLanguage("zh-CN", key, values)),
  };
}

function noteSentence(note: Note, t: Say): string {
  switch (note.kind) {
    case "entries_lost":
      return t("note.entries_lost", { count: note.count });
    case "breaker_opened":
      return t("note.breaker_opened", { host: note.host, for: measured(note.for_ms) });
    case "config_problem":
      return t("note.config_problem", { line: note.line, problem: note.problem });
    case "ends_soon":
      return t(note.ground === "seen" ? "note.ends_soon.seen" : "note.ends_soon", {
        in: span(note.in_ms),
        times: note.times,
      });
    case "foreseen":
      return t("note.foreseen", { what: forecastWords({ ...note, is_near: false }, t) });
    case "elsewhere":
      return t("note.elsewhere", { places: note.places.map((place) => t(`place.${place}`)).join(", ") });
    case "heartbeat":
      return t(note.good ? "note.heartbeat.good" : "note.heartbeat.bad");
    case "heartbeat_unanswered":
      return t("note.heartbeat_unanswered", { trouble: trouble(t, note.trouble, note.status) });
    case "keeper_started": {
      const vault = t(`vault.kind.${note.vault}` as Key);
      return t("note.keeper_started", { version: note.version, vault });
    }
    case "late_answer":
      return t(note.revoked ? "note.late_answer.revoked" : "note.late_answer.dropped");
    case "odd":
      return t("note.odd", { what: t(`odd.${note.what}`) });
    case "other_person":
      return t("note.other_person", { before: note.before });
    case "kept":
      return t(note.failures > 1 ? "note.kept.again" : "note.kept", {
        trouble: trouble(t, note.trouble, note.status),
        failures: note.failures,
        retry_in: measured(note.retry_in_ms),
      });
    case "needs_login":
      return t("note.needs_login", { why: t(`why.${note.why}`) });
    case "refreshed": {
      const scheduled = note.cause === "before_expiry" && note.source === "assumed";
      const key = scheduled
        ? "note.refreshed.before_expiry.assumed"
        : (`note.refreshed.${note.cause}` as const);
      const sentence = t(key, { generation: note.generation });
      return note.tries > 1 ? t("note.refreshed.tries", { sentence, tries: note.tries }) : sentence;
    }
    case "rejected":
      return t("note.rejected", { status: note.status, path: note.path, generation: note.generation });
    case "replayed":
      return t(note.count === 1 ? "note.replayed.one" : "note.replayed.many", {
        count: note.count,
        waited: measured(note.waited_ms),
      });
    case "sign_in_failed":
      return t("note.sign_in_failed", { reason: t(`error.${note.code}.say` as Key) });
    case "revocation":
      return note.trouble
        ? t("note.revocation.bad", { trouble: trouble(t, note.trouble, note.status) })
        : t("note.revocation.good");
    case "signed_in":
      return t("note.signed_in", { user: note.user });
    case "thawed":
      return t("note.thawed", { stood_still: span(note.stood_still_ms) });
    case "unsaved":
      return t("note.unsaved", { trouble: t(`vault.${note.trouble}`) });
    case "vault_waiting":
      return t("note.vault_waiting", { trouble: t(`vault.${note.trouble}`) });
    case "woke":
      return t("note.woke", { slept: span(note.slept_ms) });
    case "ended_in_flight":
    case "ended_unsaved":
    case "interrupted":
    case "keeper_stopped":
    case "restored":
    case "saved":
    case "revocation_unsupported":
    case "signed_out":
      return t(`note.${note.kind}`);
    default:
      return (note as { kind: string }).kind;
  }
}

function trouble(t: Say, why: Trouble, status: number | null): string {
  return t(`trouble.${why}`, { status });
}

/** As the window's program fills it in. */
export function failed(code: Code, details: Record<string, string> = {}): FailureView {
  const both = (part: "say" | "next"): Says => ({
    en: filled("en", `error.${code}.${part}` as Key, details),
    "zh-CN": filled("zh-CN", `error.${code}.${part}` as Key, details),
  });
  return { code, profile: null, details, retry_in_ms: null, says: both("say"), next: both("next") };
}

function filled(language: Language, key: Key, details: Record<string, string>): string {
  const said: Record<string, string> = { ...details };
  for (const [name, group] of WORDS) {
    const word = `${group}.${details[name]}`;
    if (known(word) !== undefined) said[name] = inLanguage(language, word as Key, said);
  }
  return inLanguage(language, key, said);
}

const WORDS = [
  ["kind", "kind"],
  ["wanted", "kind"],
  ["problem", "problem"],
  ["hint", "hint"],
] as const;
