import { useEffect, useRef, useState } from "preact/hooks";
import { discover } from "../actions.ts";
import type { Discovery } from "../api.ts";
import { isPlain, type Typed } from "../draft.ts";
import * as state from "../state.ts";
import { t } from "../words.ts";
import { CancelAdding } from "./cancel-adding.tsx";
import { Problem } from "./failure.tsx";
import { AllowHttp, TextField } from "./fields.tsx";

/** The first step to an OAuth provider: where it is. */
export function FindProvider(props: {
  typed: Typed;
  onChange: (part: Partial<Typed>) => void;
  onFound: (found: Discovery) => void;
}) {
  const { typed, onChange, onFound } = props;
  const [tried, setTried] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    // Who comes back from the next step has lost the focus; who goes through the kinds by keyboard must not.
    if (document.activeElement === document.body) field.current?.focus();
  }, []);
  const busy = state.busy.value.discover;
  const issuer = typed.issuer.trim();
  const submit = async (event: Event) => {
    event.preventDefault();
    setTried(true);
    if (!issuer || busy) return;
    const found = await discover(issuer, isPlain(issuer) && typed.allow_http);
    if (found) onFound(found);
    else field.current?.focus();
  };
  return (
    <form class="card" onSubmit={submit} noValidate>
      <TextField
        id="new-issuer"
        label={t("ui.new.issuer")}
        hint={t("ui.new.issuer.hint")}
        value={typed.issuer}
        onType={(text) => onChange({ issuer: text })}
        wrong={tried && !issuer && t("ui.needed")}
        invalid={state.blames.value.discover !== undefined}
        field={field}
        more={{ type: "url", inputMode: "url", placeholder: "https://…" }}
      />
      {isPlain(issuer) && (
        <AllowHttp checked={typed.allow_http} onCheck={(to) => onChange({ allow_http: to })} />
      )}
      <Problem of="discover" />
      <div class="actions">
        <button type="submit" class="primary" data-testid="new-look" aria-disabled={busy ?? false}>
          {busy ? t("ui.new.looking") : t("ui.new.look")}
        </button>
        <CancelAdding />
      </div>
    </form>
  );
}
