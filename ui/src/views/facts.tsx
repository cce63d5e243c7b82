import type { SessionView } from "../api.ts";
import { measured, span } from "../format.ts";
import { causeWords, isAssumed } from "../sentences.ts";
import * as state from "../state.ts";
import { t } from "../words.ts";

export function Facts({ session }: { session: SessionView }) {
  const { access, last_refresh, heartbeat } = session;
  const token = access && [
    `#${access.generation}`,
    access.jwt ? ["JWT", access.algorithm].filter(Boolean).join(" · ") : t("ui.fact.opaque"),
  ];
  return (
    <dl class="facts">
      <div data-testid="generation" data-generation={access?.generation ?? ""}>
        <dt>{t("ui.fact.access")}</dt>
        <dd>{token ? token.join(" · ") : t("ui.fact.none")}</dd>
        {access && isAssumed(session) && (
          <dd class="note">{t("ui.fact.assumed", { lifetime: span(access.lifetime_ms) })}</dd>
        )}
        {access?.dpop && <dd class="note">{t("ui.fact.dpop")}</dd>}
        {access?.rejected && <dd class="note bad">{t("ui.fact.rejected")}</dd>}
      </div>
      <div>
        <dt>{t("ui.fact.refresh")}</dt>
        <dd>{last_refresh ? t("ui.fact.ago", { ago: span(last_refresh.ago_ms) }) : t("ui.fact.none")}</dd>
        {last_refresh && (
          <dd class="note">
            {measured(last_refresh.took_ms)} · {causeWords(last_refresh.cause, access?.source)}
          </dd>
        )}
      </div>
      <div>
        <dt>{t("ui.fact.heartbeat")}</dt>
        <dd>{t("ui.fact.every", { every: span(heartbeat.every_ms) })}</dd>
        {heartbeat.last && (
          <dd class={`note ${heartbeat.last.good ? "good" : "bad"}`}>
            {t(heartbeat.last.good ? "ui.fact.good" : "ui.fact.bad")} ·{" "}
            {t("ui.fact.ago", { ago: span(heartbeat.last.ago_ms) })}
          </dd>
        )}
      </div>
      <Stored saved={session.saved} />
    </dl>
  );
}

function Stored({ saved }: { saved: boolean }) {
  const vault = state.overview.value?.vault.kind ?? "keyring";
  const kind = vault === "memory" || saved ? vault : "unsaved";
  const notes = {
    credential: "ui.fact.safe.note",
    keyring: "ui.fact.safe.note",
    memory: "ui.fact.memory.note",
    passphrase: "ui.fact.safe.note",
    unsaved: "ui.fact.unsaved.note",
  } as const;
  const isSafe = kind !== "memory" && kind !== "unsaved";
  return (
    <div data-testid="stored" data-stored={kind}>
      <dt>{t("ui.fact.stored")}</dt>
      <dd>{isSafe ? t(`ui.fact.${kind}`) : <span class="badge">{t(`ui.fact.${kind}`)}</span>}</dd>
      <dd class="note">{t(notes[kind])}</dd>
    </div>
  );
}
