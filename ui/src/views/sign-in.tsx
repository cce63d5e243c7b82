import { useEffect, useRef } from "preact/hooks";
import { finishSignIn, signIn } from "../actions.ts";
import type { SessionView, Way } from "../api.ts";
import { forecastWords, nextSentence } from "../sentences.ts";
import * as state from "../state.ts";
import { t } from "../words.ts";
import { Problem } from "./failure.tsx";
import { PendingSignIn } from "./pending.tsx";
import { Flame } from "./signs.tsx";
import { TryAgain } from "./try-again.tsx";
import { TypedSignIn } from "./typed-sign-in.tsx";

/** What a person does to sign in, by the first of the ways that the session knows. */
export function SignIn({ session, onLeave }: { session: SessionView; onLeave: (() => void) | null }) {
  const { profile, phase, pending, ways } = session;
  const isPending = pending !== null;
  const card = useRef<HTMLElement>(null);
  useEffect(() => {
    // Also of a sign-in that began elsewhere, or before this window was opened.
    if (isPending) void finishSignIn(profile);
  }, [profile, isPending]);
  useEffect(() => {
    // The button that was pressed has gone, and the focus with it.
    const lost = document.activeElement === document.body;
    if (lost) card.current?.querySelector<HTMLElement>("[data-focus]")?.focus();
  }, [isPending]);
  return (
    <section class="card hero sign-in" ref={card}>
      <div class="big-flame">
        <Flame phase={phase.name} size={104} />
      </div>
      {pending ? (
        <PendingSignIn profile={profile} pending={pending} ways={ways} />
      ) : (
        <div class="tale">
          <h3>{t("ui.head.NeedsLogin", { profile })}</h3>
          <p>
            {onLeave && session.forecast
              ? t("ui.forecast", { what: forecastWords(session.forecast) })
              : nextSentence(session)}
          </p>
          <Ways session={session} />
          {onLeave && (
            <button type="button" class="link" data-testid="sign-in-later" onClick={onLeave}>
              {t("ui.cancel")}
            </button>
          )}
        </div>
      )}
    </section>
  );
}

function Ways({ session }: { session: SessionView }) {
  const { ways } = session;
  switch (ways[0]) {
    case "browser":
    case "device":
      return <AtTheProvider session={session} way={ways[0]} />;
    default:
      return <TypedSignIn session={session} way={ways[0] ?? "password"} />;
  }
}

function AtTheProvider({ session, way }: { session: SessionView; way: "browser" | "device" }) {
  const { profile, phase, ways } = session;
  const busy = state.busy.value[`sign-in ${profile}`] || phase.name === "SigningIn";
  const other = way === "browser" ? "device" : "browser";
  const begin = (by: Way) => {
    if (!busy) void signIn(profile, by);
  };
  return (
    <div class="at-provider">
      <Problem of={`sign-in ${profile}`} />
      <div class="actions">
        <button
          type="button"
          class="primary"
          data-focus
          data-testid={`sign-in-${way}`}
          aria-disabled={busy}
          aria-describedby="sign-in-note"
          onClick={() => begin(way)}
        >
          {busy ? t(BUSY[way]) : t(BEGIN[way])}
        </button>
        {ways.includes(other) && (
          <button
            type="button"
            data-testid={`sign-in-${other}`}
            aria-disabled={busy}
            onClick={() => begin(other)}
          >
            {t(INSTEAD[other])}
          </button>
        )}
        <TryAgain session={session} />
      </div>
      <small id="sign-in-note">{t(NOTES[way])}</small>
    </div>
  );
}

const BEGIN = { browser: "ui.sign_in.browser", device: "ui.sign_in.device.here" } as const;
const INSTEAD = { browser: "ui.sign_in.browser", device: "ui.sign_in.device" } as const;
const BUSY = { browser: "ui.sign_in.opening", device: "ui.sign_in.asking" } as const;
const NOTES = { browser: "ui.sign_in.browser.note", device: "ui.sign_in.device.note" } as const;
