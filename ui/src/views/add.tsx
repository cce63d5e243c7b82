import { useEffect, useRef, useState } from "preact/hooks";
import { add } from "../actions.ts";
import type { Code } from "../api.ts";
import * as state from "../state.ts";
import { known, t } from "../words.ts";
import { FailureBox } from "./failure.tsx";

export function AddSession() {
  const presets = state.overview.value?.presets ?? [];
  const [profile, setProfile] = useState("");
  const [preset, setPreset] = useState("");
  const [url, setUrl] = useState("");
  const [allow_http, setAllowHttp] = useState(false);
  const [tried, setTried] = useState(false);
  const name = useRef<HTMLInputElement>(null);
  useEffect(() => name.current?.focus(), []);
  const chosen = preset || presets[0] || "";
  const failure = state.failures.value.add;
  const about = failure && ABOUT[failure.code];
  const plain = /^http:/i.test(url.trim());
  const submit = async (event: Event) => {
    event.preventDefault();
    setTried(true);
    if (!profile.trim() || !url.trim() || state.busy.value.add) return;
    await add({
      profile: profile.trim(),
      preset: chosen,
      url: url.trim(),
      resources: [],
      allow_http: plain && allow_http,
      sandbox: false,
      heartbeat_s: null,
    });
  };
  return (
    <section class="add">
      <h2>{t("ui.new.title")}</h2>
      <p>{t("ui.new.intro")}</p>
      <form class="card" onSubmit={submit} noValidate>
        <Field
          id="new-name"
          label={t("ui.new.name")}
          hint={t("ui.new.name.hint")}
          missing={tried && !profile.trim()}
        >
          <input
            ref={name}
            id="new-name"
            data-testid="new-name"
            spellcheck={false}
            autocapitalize="off"
            required
            aria-describedby="new-name-hint"
            aria-invalid={about === "name" || (tried && !profile.trim())}
            value={profile}
            onInput={(event) => setProfile(event.currentTarget.value)}
          />
        </Field>
        {about === "name" && failure && <FailureBox failure={failure} />}
        <fieldset class="presets">
          <legend>{t("ui.new.preset")}</legend>
          {presets.map((each) => (
            <label key={each}>
              <input
                type="radio"
                name="preset"
                data-testid={`preset-${each}`}
                checked={each === chosen}
                onChange={() => setPreset(each)}
              />
              <span>
                <b>{each}</b>
                <small>{known(`ui.preset.${each}`) ?? ""}</small>
              </span>
            </label>
          ))}
        </fieldset>
        <Field
          id="new-url"
          label={t("ui.new.url")}
          hint={t("ui.new.url.hint")}
          missing={tried && !url.trim()}
        >
          <input
            id="new-url"
            data-testid="new-url"
            type="url"
            inputMode="url"
            placeholder="https://…"
            spellcheck={false}
            required
            aria-describedby="new-url-hint"
            aria-invalid={about === "url" || (tried && !url.trim())}
            value={url}
            onInput={(event) => setUrl(event.currentTarget.value)}
          />
        </Field>
        {plain && (
          <label class="check">
            <input
              type="checkbox"
              data-testid="allow-http"
              checked={allow_http}
              onChange={(event) => setAllowHttp(event.currentTarget.checked)}
            />
            <span>
              {t("ui.new.allow_http")}
              <small>{t("ui.new.allow_http.hint")}</small>
            </span>
          </label>
        )}
        {failure && about !== "name" && <FailureBox failure={failure} />}
        <div class="actions">
          <button type="submit" class="primary" data-testid="new-submit" disabled={state.busy.value.add}>
            {state.busy.value.add ? t("ui.new.adding") : t("ui.new.submit")}
          </button>
          <button
            type="button"
            onClick={() => {
              state.adding.value = false;
            }}
          >
            {t("ui.cancel")}
          </button>
        </div>
      </form>
    </section>
  );
}

function Field(props: {
  id: string;
  label: string;
  hint: string;
  missing: boolean;
  children: preact.ComponentChildren;
}) {
  return (
    <div class="field">
      <label for={props.id}>{props.label}</label>
      {props.children}
      <small id={`${props.id}-hint`} class={props.missing ? "missing" : ""}>
        {props.missing ? t("ui.needed") : props.hint}
      </small>
    </div>
  );
}

/** The field that a failure is about; all others concern the whole. */
const ABOUT: Partial<Record<Code, "name" | "url">> = {
  already_exists: "name",
  bad_profile: "name",
  bad_url: "url",
  plain_http: "url",
};
