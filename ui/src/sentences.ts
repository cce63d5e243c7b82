import type {
  Cause,
  Demand,
  FailureView,
  Forecast,
  Lost,
  Note,
  PhaseView,
  SessionView,
  Source,
  Trouble,
  VaultTrouble,
} from "./api.ts";
import { measured, span } from "./format.ts";
import { join, language, t } from "./words.ts";

/** How long the thing itself took, where it took any time. */
export function noteTook(note: Note): string | null {
  if ("took_ms" in note) return measured(note.took_ms);
  return note.kind === "replayed" ? measured(note.waited_ms) : null;
}

export type Mark = "refresh" | "heartbeat" | "failure" | "person" | "sleep" | "keeper" | "request" | "key";

/** The sign before a line of the journal. */
export function noteMark(note: Note): Mark {
  switch (note.kind) {
    case "refreshed":
    case "signed_in":
    case "restored":
      return "refresh";
    case "heartbeat":
      return note.good ? "heartbeat" : "failure";
    case "elsewhere":
    case "ends_soon":
    case "needs_login":
    case "other_person":
    case "sign_in_failed":
    case "revocation_unsupported":
    case "signed_out":
      return "person";
    case "thawed":
    case "woke":
      return "sleep";
    case "foreseen":
    case "keeper_started":
    case "keeper_stopped":
    case "interrupted":
      return "keeper";
    case "replayed":
    case "rejected":
    case "late_answer":
      return "request";
    case "saved":
      return "key";
    case "revocation":
      return note.trouble ? "failure" : "person";
    default:
      return "failure";
  }
}

export function trouble(why: Trouble, status: number | null): string {
  return t(`trouble.${why}`, { status });
}

/** What went wrong and what to do, one after the other. */
export function failureWhole({ says, next }: FailureView): string {
  return join([says[language.value], next[language.value]]);
}

/** The state in a few words, for the list and for the announcer. */
export function phaseWords(phase: PhaseView): string {
  if (phase.name !== "Waiting") return t(`phase.${phase.name}`);
  const bare = phase.why === "status" || phase.why === "rate_limited" || phase.why === "suspect";
  const what = bare && phase.status ? String(phase.status) : trouble(phase.why, phase.status);
  return t("ui.row.waiting", { what, retry_in: span(phase.retry_in_ms) });
}

/** A token of which nobody said how long it lives is good until it is refused. */
export function usable({ access }: SessionView): boolean {
  return access !== null && !access.rejected && (access.remaining_ms > 0 || access.source === "assumed");
}

/** Nobody said how long its token lives: what is told of the time left is only when the next refresh is due. */
export function isAssumed({ access }: SessionView): boolean {
  return access?.source === "assumed" && !access.rejected;
}

/** Why the last refresh was made; where nobody knows whether the token before would have run out, nobody says so. */
export function causeWords(cause: Cause, source: Source | undefined): string {
  const scheduled = cause === "before_expiry" && source === "assumed";
  return t(scheduled ? "cause.before_expiry.assumed" : `cause.${cause}`);
}

/** How long the sign-in goes on, as the end of a sentence about it. */
export function forecastWords({ ends, unused }: Forecast, say: typeof t = t): string {
  const said: string[] = [];
  if (ends) {
    const { in_ms, lasts_ms, ground, times } = ends;
    said.push(say(`forecast.ends.${ground}`, { in: span(in_ms), lasts: span(lasts_ms), times }));
  }
  if (unused) said.push(say(`forecast.unused.${unused.ground}`, { after: span(unused.after_ms) }));
  const [first = "", second] = said;
  return second ? say("forecast.both", { ends: first, unused: second }) : first;
}

/** Somebody wants more of the person than the session has. What it has is kept, and may do for everything else. */
export function isDemanded(phase: PhaseView): boolean {
  return phase.name === "NeedsLogin" && DEMANDS.has(phase.why);
}

/**
 * There is nothing to go on with but a person. That is so, too, where the keyring keeps what is stored to itself: nobody
 * knows whether there is anything, and a new session has nothing. Usually it is read in a moment.
 */
export function isUpToPerson(session: SessionView, vault: VaultTrouble | null): boolean {
  const { phase } = session;
  if (phase.name === "Waiting") return isUnread(session) && (vault !== null || phase.failures > 0);
  return phase.name === "NeedsLogin" || phase.name === "SigningIn";
}

function isUnread({ phase, access }: SessionView): boolean {
  return phase.name === "Waiting" && phase.why === "vault" && access === null;
}

/** What happens next, and why a person may leave it alone. */
export function nextSentence(session: SessionView): string {
  const { phase, access, refresh_in_ms, heartbeat, requests } = session;
  const good = usable(session);
  const remaining = span(access?.remaining_ms ?? 0);
  const assumed = isAssumed(session) ? ".assumed" : "";
  const said: string[] = [];
  switch (phase.name) {
    case "Fresh":
      said.push(good ? t(`ui.next.good${assumed}`, { remaining }) : t("ui.next.none"));
      if (!session.renewable && good) said.push(t("ui.next.no_refresh"));
      if (refresh_in_ms !== null && good) {
        const soon = refresh_in_ms < 500;
        said.push(
          soon ? t("ui.next.refresh_soon") : t("ui.next.refresh", { refresh_in: span(refresh_in_ms) }),
        );
      }
      if (heartbeat.next_in_ms !== null) {
        const due = heartbeat.next_in_ms < 500;
        said.push(
          due ? t("ui.next.heartbeat_now") : t("ui.next.heartbeat", { next: span(heartbeat.next_in_ms) }),
        );
      }
      break;
    case "Refreshing":
      said.push(t("ui.next.refreshing.why", { cause: causeWords(phase.cause, access?.source) }));
      if (phase.attempt > 1) said.push(t("ui.next.refreshing.attempt", { attempt: phase.attempt }));
      said.push(good ? t(`ui.next.refreshing.good${assumed}`, { remaining }) : t("ui.next.refreshing.hold"));
      break;
    case "Waiting": {
      if (isUnread(session)) {
        said.push(t("ui.next.keyring"));
        break;
      }
      const why = trouble(phase.why, phase.status);
      said.push(t("ui.next.waiting.why", { trouble: why, retry_in: span(phase.retry_in_ms) }));
      said.push(good ? t(`ui.next.waiting.good${assumed}`, { remaining }) : t("ui.next.waiting.hold"));
      break;
    }
    case "SigningIn":
      said.push(t("ui.next.signing_in"));
      break;
    case "NeedsLogin":
      said.push(t(`ui.lost.${phase.why}`));
      if (session.demand) said.push(...demandSentences(session.demand));
      if (isDemanded(phase)) {
        if (good) said.push(t("ui.demand.meanwhile"));
        said.push(t("ui.demand.without"));
      }
  }
  if (session.said) said.push(t("ui.next.said", { said: session.said }));
  if (requests.held > 0) said.push(t("ui.next.held", { held: requests.held }));
  return join(said);
}

function demandSentences({ scope, acr_values, max_age }: Demand): string[] {
  const said: string[] = [];
  if (scope) said.push(t("ui.demand.scope", { scope }));
  if (acr_values) said.push(t("ui.demand.acr_values", { acr_values }));
  if (max_age === 0) said.push(t("ui.demand.now"));
  else if (max_age !== null) said.push(t("ui.demand.max_age", { max_age: span(max_age * 1000) }));
  return said;
}

/** Which details are words, each with its group in the catalogues; the sentences of the last two speak of the others. */
const DEMANDS: ReadonlySet<Lost> = new Set<Lost>([
  "consent_required",
  "insufficient_scope",
  "insufficient_user_authentication",
  "interaction_required",
  "login_required",
]);
