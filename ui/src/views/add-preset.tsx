import { useState } from "preact/hooks";
import { add } from "../actions.ts";
import type { Code } from "../api.ts";
import { isPlain } from "../draft.ts";
import * as state from "../state.ts";
import { known, t } from "../words.ts";
import { CancelAdding } from "./cancel-adding.tsx";
import { FailureBox } from "./failure.tsx";
import { AllowHttp, TextField, useFirstInvalid } from "./fields.tsx";

export const NOTHING_CHOSEN = { profile: "", preset: "", url: "", allow_http: false };
type Chosen = typeof NOTHING_CHOSEN;

/** An API that takes a password, asked as one of the presets says. */
export function AddPreset({ chosen, onChange }: { chosen: Chosen; onChange: (to: Chosen) => void }) {
  const presets = state.overview.value?.presets ?? [];
  const [tries, setTries] = useState(0);
  const tried = tries > 0;
  const change = (part: Partial<Chosen>) => onChange({ ...chosen, ...part });
  const preset = chosen.preset || presets[0] || "";
  const profile = chosen.profile.trim();
  const url = chosen.url.trim();
  const failure = state.blames.value.add?.failure;
  const about = failure && ABOUT[failure.code];
  const form = useFirstInvalid(tries, failure);
  const submit = async (event: Event) => {
    event.preventDefault();
    setTries(tries + 1);
    if (!profile || !url || state.busy.value.add) return;
    await add({
      profile,
      preset,
      url,
      oauth: null,
      resources: [],
      allow_http: isPlain(url) && chosen.allow_http,
      ca_file: null,
      sandbox: false,
      heartbeat_s: null,
    });
  };
  return (
    <form ref={form} class="card" onSubmit={submit} noValidate>
      <TextField
        id="new-name"
        label={t("ui.new.name")}
        hint={t("ui.new.name.hint")}
        value={chosen.profile}
        onType={(text) => change({ profile: text })}
        wrong={tried && !profile && t("ui.needed")}
        invalid={about === "name"}
      />
      {about === "name" && failure && <FailureBox failure={failure} />}
      <fieldset class="presets">
        <legend>{t("ui.new.preset")}</legend>
        {presets.map((each) => (
          <label key={each}>
            <input
              type="radio"
              name="preset"
              data-testid={`preset-${each}`}
              checked={each === preset}
              onChange={() => change({ preset: each })}
            />
            <span>
              <b>{each}</b>
              <small>{known(`ui.preset.${each}`) ?? ""}</small>
            </span>
          </label>
        ))}
      </fieldset>
      <TextField
        id="new-url"
        label={t("ui.new.url")}
        hint={t("ui.new.url.hint")}
        value={chosen.url}
        onType={(text) => change({ url: text })}
        wrong={tried && !url && t("ui.needed")}
        invalid={about === "url"}
        more={{ type: "url", inputMode: "url", placeholder: "https://…" }}
      />
      {isPlain(url) && <AllowHttp checked={chosen.allow_http} onCheck={(to) => change({ allow_http: to })} />}
      {failure && about !== "name" && <FailureBox failure={failure} />}
      <div class="actions">
        <button type="submit" class="primary" data-testid="new-submit" disabled={state.busy.value.add}>
          {state.busy.value.add ? t("ui.new.adding") : t("ui.new.submit")}
        </button>
        <CancelAdding />
      </div>
    </form>
  );
}

/** The field that a failure is about; all others concern the whole. */
const ABOUT: Partial<Record<Code, "name" | "url">> = {
  already_exists: "name",
  bad_profile: "name",
  bad_url: "url",
  plain_http: "url",
};
