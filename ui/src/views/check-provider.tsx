import { useEffect, useRef, useState } from "preact/hooks";
import { add } from "../actions.ts";
import type { Code, Discovery } from "../api.ts";
import { draftOf, isPlain, isPort, scopesOf, type Typed } from "../draft.ts";
import * as state from "../state.ts";
import { t } from "../words.ts";
import { CancelAdding } from "./cancel-adding.tsx";
import { FailureBox } from "./failure.tsx";
import { AllowHttp, TextField, useFirstInvalid } from "./fields.tsx";
import { Found } from "./found.tsx";
import { RarelyNeeded } from "./rarely-needed.tsx";

/** The second step to an OAuth provider: what it says about itself, and what it cannot say. */
export function CheckProvider(props: {
  typed: Typed;
  found: Discovery;
  onChange: (part: Partial<Typed>) => void;
  onBack: () => void;
}) {
  const { typed, found, onChange, onBack } = props;
  const [tries, setTries] = useState(0);
  const tried = tries > 0;
  const head = useRef<HTMLHeadingElement>(null);
  // What was found is what is new: whoever listens rather than looks begins there.
  useEffect(() => head.current?.focus(), []);
  const busy = state.busy.value.add;
  const failure = state.blames.value.add?.failure;
  const about = failure && ABOUT[failure.code];
  const missing = (text: string) => tried && !text.trim() && t("ui.needed");
  const form = useFirstInvalid(tries, failure);
  const submit = async (event: Event) => {
    event.preventDefault();
    setTries(tries + 1);
    if (!typed.profile.trim() || !typed.client_id.trim() || !isPort(typed.redirect_port) || busy) return;
    await add(draftOf(typed, found));
  };
  return (
    <form ref={form} class="card" onSubmit={submit} noValidate>
      <Found found={found} head={head} />
      <TextField
        id="new-name"
        label={t("ui.new.name")}
        hint={t("ui.new.name.hint")}
        value={typed.profile}
        onType={(profile) => onChange({ profile })}
        wrong={missing(typed.profile)}
        invalid={about === "name"}
      />
      {about === "name" && failure && <FailureBox failure={failure} />}
      <TextField
        id="new-client-id"
        label={t("ui.new.client_id")}
        hint={t("ui.new.client_id.hint")}
        value={typed.client_id}
        onType={(client_id) => onChange({ client_id })}
        wrong={missing(typed.client_id)}
        invalid={about === "client_id"}
      />
      {about === "client_id" && failure && <FailureBox failure={failure} />}
      <TextField
        id="new-scopes"
        label={t("ui.new.scopes")}
        hint={t("ui.new.scopes.hint")}
        value={scopesOf(typed, found)}
        onType={(scopes) => onChange({ scopes })}
        more={{ required: false }}
      />
      <TextField
        id="new-url"
        label={t("ui.new.api")}
        hint={t("ui.new.api.hint")}
        optional
        value={typed.url}
        onType={(url) => onChange({ url })}
        invalid={about === "url"}
        more={{ type: "url", inputMode: "url", placeholder: "https://…" }}
      />
      {isPlain(typed.url) && (
        <AllowHttp checked={typed.allow_http} onCheck={(allow_http) => onChange({ allow_http })} />
      )}
      {about === "url" && failure && <FailureBox failure={failure} />}
      <RarelyNeeded typed={typed} found={found} onChange={onChange} />
      {failure && !about && <FailureBox failure={failure} />}
      <div class="actions">
        <button type="submit" class="primary" data-testid="new-submit" disabled={busy}>
          {busy ? t("ui.new.adding") : t("ui.new.submit")}
        </button>
        <button type="button" data-testid="new-back" disabled={busy} onClick={onBack}>
          {t("ui.new.back")}
        </button>
        <CancelAdding />
      </div>
    </form>
  );
}

/** The field that a failure is about; all others concern the whole. The issuer has been asked by now, and is good. */
const ABOUT: Partial<Record<Code, "name" | "client_id" | "url">> = {
  already_exists: "name",
  bad_profile: "name",
  bad_url: "url",
  client_refused: "client_id",
  plain_http: "url",
};
