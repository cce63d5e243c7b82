import { useEffect, useRef, useState } from "preact/hooks";
import { login, refresh } from "../actions.ts";
import type { SessionView } from "../api.ts";
import { nextSentence } from "../sentences.ts";
import * as state from "../state.ts";
import { t } from "../words.ts";
import { Problem } from "./failure.tsx";
import { Flame } from "./signs.tsx";

export function SignIn({ session }: { session: SessionView }) {
  const { profile, phase, host } = session;
  const [username, setUsername] = useState(session.user ?? "");
  const [missing, setMissing] = useState(false);
  const name = useRef<HTMLInputElement>(null);
  const password = useRef<HTMLInputElement>(null);
  useEffect(() => {
    // Nothing else has the focus: whoever sees this form wants to fill it in.
    if (document.activeElement === document.body) (name.current?.value ? password : name).current?.focus();
  }, []);
  const busy = state.busy.value[`login ${profile}`] || phase.name === "SigningIn";
  const submit = async (event: Event) => {
    event.preventDefault();
    const secret = password.current?.value ?? "";
    setMissing(!username || !secret);
    if (!username || !secret || busy) return;
    if (await login(profile, username, secret)) {
      document.getElementById(`tab-${state.tab.value}`)?.focus();
      return;
    }
    password.current?.focus();
    password.current?.select();
  };
  return (
    <section class="card hero sign-in">
      <div class="big-flame">
        <Flame phase={phase.name} size={104} />
      </div>
      <div class="tale">
        <h3>{t("ui.head.NeedsLogin", { profile })}</h3>
        <p>{nextSentence(session)}</p>
        <form onSubmit={submit} noValidate>
          <label>
            <span>{t("ui.username")}</span>
            <input
              ref={name}
              data-testid="username"
              autocomplete="username"
              autocapitalize="off"
              spellcheck={false}
              required
              aria-invalid={missing && !username}
              aria-describedby={missing ? "sign-in-missing" : undefined}
              value={username}
              onInput={(event) => setUsername(event.currentTarget.value)}
            />
          </label>
          <label>
            <span>{t("ui.password")}</span>
            <input
              ref={password}
              data-testid="password"
              type="password"
              autocomplete="current-password"
              required
              aria-invalid={missing && !password.current?.value}
              aria-describedby={missing ? "sign-in-missing sign-in-note" : "sign-in-note"}
            />
          </label>
          {missing && (
            <p class="missing" role="alert" id="sign-in-missing">
              {t("ui.needed")}
            </p>
          )}
          <Problem of={`login ${profile}`} />
          <div class="actions">
            <button type="submit" class="primary" data-testid="sign-in" aria-disabled={busy}>
              {busy ? t("ui.signing_in") : t("ui.sign_in")}
            </button>
            {phase.name === "NeedsLogin" && phase.why === "unsure" && (
              <button
                type="button"
                data-testid="try-again"
                disabled={state.busy.value[`refresh ${profile}`]}
                onClick={() => refresh(profile)}
              >
                {t("ui.try_again")}
              </button>
            )}
          </div>
          <small id="sign-in-note">{t("ui.password.note", { host })}</small>
        </form>
      </div>
    </section>
  );
}
