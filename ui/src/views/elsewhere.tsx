import { useState } from "preact/hooks";
import { landSignIn } from "../actions.ts";
import * as state from "../state.ts";
import { t } from "../words.ts";

/** For a browser that cannot come back to this machine: a person brings the address at which it has ended. */
export function Elsewhere({ profile }: { profile: string }) {
  const [address, setAddress] = useState("");
  const busy = state.busy.value[`sign-in ${profile}`];
  const land = (event: Event) => {
    event.preventDefault();
    if (busy || !address.trim()) return;
    // There is a code in it, which is good once.
    setAddress("");
    void landSignIn(profile, address);
  };
  return (
    <details class="elsewhere" data-testid="elsewhere">
      <summary>{t("ui.pending.elsewhere")}</summary>
      <form onSubmit={land}>
        <p id="elsewhere-note">{t("ui.pending.elsewhere.body")}</p>
        <label>
          <span>{t("ui.pending.landed_at")}</span>
          <input
            data-testid="landed-at"
            autocomplete="off"
            spellcheck={false}
            aria-describedby="elsewhere-note"
            value={address}
            onInput={(event) => setAddress(event.currentTarget.value)}
          />
        </label>
        <button type="submit" data-testid="land" disabled={busy || !address.trim()}>
          {t("ui.pending.land")}
        </button>
      </form>
    </details>
  );
}
