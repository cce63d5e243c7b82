import { useEffect, useRef, useState } from "preact/hooks";
import { login } from "../actions.ts";
import type { SessionView } from "../api.ts";
import * as state from "../state.ts";
import { t } from "../words.ts";
import { Problem } from "./failure.tsx";
import { TryAgain } from "./try-again.tsx";

type Typed = "password" | "client_secret" | "unattended";

/** A sign-in with what is typed here, which may be nothing. */
export function TypedSignIn({ session, way }: { session: SessionView; way: Typed }) {
  const { profile, phase, host } = session;
  const [username, setUsername] = useState(session.user ?? state.users.value[profile] ?? "");
  const [missing, setMissing] = useState(false);
  const name = useRef<HTMLInputElement>(null);
  const secret = useRef<HTMLInputElement>(null);
  useEffect(() => {
    // Nothing else has the focus: whoever sees this form wants to fill it in.
    if (document.activeElement !== document.body) return;
    (name.current && !name.current.value ? name : secret).current?.focus();
  }, []);
  const busy = state.busy.value[`login ${profile}`] || phase.name === "SigningIn";
  const submit = async (event: Event) => {
    event.preventDefault();
    const typed = secret.current?.value ?? "";
    const gap = (name.current !== null && !username) || (secret.current !== null && !typed);
    setMissing(gap);
    if (gap || busy) return;
    if (await login(profile, way === "password" ? username : "", typed)) {
      document.getElementById(`tab-${state.tab.value}`)?.focus();
      return;
    }
    secret.current?.focus();
    secret.current?.select();
  };
  return (
    <form onSubmit={submit} noValidate>
      {way === "password" && (
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
      )}
      {way !== "unattended" && (
        <label>
          <span>{t(way === "password" ? "ui.password" : "ui.sign_in.secret")}</span>
          <input
            ref={secret}
            data-testid={way === "password" ? "password" : "client-secret"}
            type="password"
            autocomplete={way === "password" ? "current-password" : "off"}
            required
            aria-invalid={missing && !secret.current?.value}
            aria-describedby={missing ? "sign-in-missing sign-in-note" : "sign-in-note"}
          />
        </label>
      )}
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
        <TryAgain session={session} />
      </div>
      <small id="sign-in-note">{t(NOTES[way], { host })}</small>
    </form>
  );
}

const NOTES = {
  password: "ui.password.note",
  client_secret: "ui.sign_in.secret.note",
  unattended: "ui.sign_in.unattended.note",
} as const;
