import { useEffect, useRef, useState } from "preact/hooks";
import { openTab } from "../actions.ts";
import type { EntryView, PhaseView, SessionView } from "../api.ts";
import { entriesOf, type Log } from "../log.ts";
import { isUpToPerson, nextSentence } from "../sentences.ts";
import * as state from "../state.ts";
import { type Key, t } from "../words.ts";
import { Entries } from "./entries.tsx";
import { Facts } from "./facts.tsx";
import { ForecastLine } from "./forecast.tsx";
import { Ring } from "./ring.tsx";
import { SignIn } from "./sign-in.tsx";
import { StripCard } from "./strip-card.tsx";

export function Overview({ session }: { session: SessionView }) {
  const { profile, phase } = session;
  const log = state.logs.value[profile];
  const person = isUpToPerson(session, state.overview.value?.vault.trouble ?? null);
  const inMemory = state.overview.value?.vault.kind === "memory";
  const unsaved = phase.name === "Fresh" && !session.saved && !inMemory;
  const before = useRef(person);
  // Somebody signs in anew before the end, over what still holds. Then the end is another one.
  const [again, setAgain] = useState(false);
  const near = session.forecast?.is_near ?? false;
  const signsIn = person || (again && near);
  useEffect(() => {
    if (!near) setAgain(false);
  }, [near]);
  useEffect(() => {
    // Signed in: what had the focus has gone, and whoever is here by keyboard goes on from the top of this.
    if (before.current && !person && document.activeElement === document.body) {
      document.getElementById(`tab-${state.tab.value}`)?.focus();
    }
    before.current = person;
  }, [person]);
  return (
    <>
      {signsIn ? (
        <SignIn session={session} onLeave={person ? null : () => setAgain(false)} />
      ) : (
        <section class="card hero">
          <Ring session={session} />
          <div class="tale">
            <h3>{t(headOf(phase, unsaved, near))}</h3>
            <p>{nextSentence(session)}</p>
            <Facts session={session} />
            <ForecastLine session={session} onAgain={() => setAgain(true)} />
          </div>
        </section>
      )}
      {((log && log.size > 0) || !person) && <StripCard log={log} />}
      <section class="card">
        <h3 class="small">
          {t("ui.log.latest")}
          {log && log.size > LATEST && (
            <button type="button" class="link" onClick={() => openTab("timeline")}>
              {t("ui.log.all")}
            </button>
          )}
        </h3>
        <Entries entries={log ? latest(log) : []} />
      </section>
    </>
  );
}

function headOf(phase: PhaseView, unsaved: boolean, near: boolean): Key {
  if (unsaved) return "ui.head.unsaved";
  return near && phase.name === "Fresh" ? "ui.head.ending" : `ui.head.${phase.name}`;
}

/** A good heartbeat is news only until something else has happened. */
function latest(log: Log): EntryView[] {
  const found: EntryView[] = [];
  for (const entry of entriesOf(log)) {
    const { note } = entry;
    if (found.length === 0 || note.kind !== "heartbeat" || !note.good) found.push(entry);
    if (found.length === LATEST) break;
  }
  return found;
}

const LATEST = 5;
