import { refresh } from "../actions.ts";
import type { SessionView } from "../api.ts";
import * as state from "../state.ts";
import { t } from "../words.ts";

/** For a stored sign-in that may still be good. */
export function TryAgain({ session }: { session: SessionView }) {
  const { profile, phase } = session;
  if (phase.name !== "NeedsLogin" || phase.why !== "unsure") return null;
  return (
    <button
      type="button"
      data-testid="try-again"
      disabled={state.busy.value[`refresh ${profile}`]}
      onClick={() => refresh(profile)}
    >
      {t("ui.try_again")}
    </button>
  );
}
