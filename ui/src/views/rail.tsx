import { useEffect, useRef } from "preact/hooks";
import { select } from "../actions.ts";
import type { SessionView } from "../api.ts";
import { clock } from "../format.ts";
import { isAssumed, phaseWords, usable } from "../sentences.ts";
import * as state from "../state.ts";
import { t } from "../words.ts";
import { Flame, Icon } from "./signs.tsx";

export function Rail() {
  const shown = state.selected.value?.profile;
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    if (shown)
      list.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [shown]);
  const sessions = state.overview.value?.sessions ?? [];
  return (
    <nav class="rail" aria-label={t("ui.sessions")}>
      <h1>
        <Flame phase="Fresh" size={22} />
        Pilotlight
      </h1>
      <ul ref={list} onKeyDown={walk}>
        {sessions.map((session) => (
          <li key={session.profile}>
            <Row session={session} />
          </li>
        ))}
      </ul>
      <div class="foot">
        <button
          type="button"
          class="quiet"
          data-testid="add"
          aria-current={state.adding.value ? "page" : undefined}
          onClick={() => {
            state.adding.value = true;
          }}
        >
          <Icon name="plus" />
          <span>{t("ui.add")}</span>
        </button>
        <button
          type="button"
          class="quiet only-icon"
          data-testid="settings"
          aria-label={t("ui.settings")}
          title={t("ui.settings")}
          onClick={() => {
            state.settingsOpen.value = true;
          }}
        >
          <Icon name="gear" />
        </button>
      </div>
    </nav>
  );
}

function Row({ session }: { session: SessionView }) {
  const { profile, phase, access, host, user } = session;
  const on = !state.adding.value && state.selected.value?.profile === profile;
  const person = phase.name === "NeedsLogin";
  const where = user ? `${host} · ${user}` : host;
  return (
    <button
      type="button"
      class="row"
      data-testid={`session-${profile}`}
      data-phase={phase.name}
      aria-current={on ? "page" : undefined}
      onClick={() => select(profile)}
    >
      <Flame phase={phase.name} />
      <span class="who">
        <b title={profile}>{profile}</b>
        <small title={where}>{where}</small>
        {phase.name === "Fresh" ? (
          <span class="unseen">{phaseWords(phase)}</span>
        ) : (
          <small class="state">{phaseWords(phase)}</small>
        )}
      </span>
      {person ? (
        <span class="act" aria-hidden="true">
          {t("ui.row.act")}
        </span>
      ) : (
        usable(session) &&
        access &&
        !isAssumed(session) && <time class="left">{clock(access.remaining_ms)}</time>
      )}
    </button>
  );
}

/** Up and down go through the list, as they do in every list. */
function walk(event: KeyboardEvent) {
  const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  if (!step || !(event.currentTarget instanceof HTMLElement)) return;
  const rows = [...event.currentTarget.querySelectorAll<HTMLElement>("button")];
  const at = rows.indexOf(document.activeElement as HTMLElement);
  rows[at + step]?.focus();
  event.preventDefault();
}
