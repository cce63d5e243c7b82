import { refresh } from "../actions.ts";
import type { SessionView } from "../api.ts";
import * as state from "../state.ts";
import { t } from "../words.ts";

/** For a stored sign-in that may still be good, or may be there at all. */
export function TryAgain({ session }: { session: SessionView }) {
  const { profile, phase } = session;
  const unsure = phase.name === "NeedsLogin" && phase.why === "unsure";
  if (!unsure && phase.name !== "Waiting") return null;
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
