import { loadOlder } from "../actions.ts";
import type { SessionView } from "../api.ts";
import * as state from "../state.ts";
import { t } from "../words.ts";
import { Entries } from "./entries.tsx";
import { Problem } from "./failure.tsx";
import { StripCard } from "./strip-card.tsx";

export function Timeline({ session }: { session: SessionView }) {
  const { profile } = session;
  const log = state.logs.value[profile];
  const entries = log?.entries ?? [];
  return (
    <>
      <StripCard entries={entries} legend />
      <section class="card">
        <h3 class="small">{t("ui.log.title")}</h3>
        <Entries entries={entries} />
        <Problem of={`log ${profile}`} />
        {entries.length > 0 && (
          <div class="after">
            {log?.complete ? (
              <small>{t("ui.log.end")}</small>
            ) : (
              <button
                type="button"
                data-testid="older"
                disabled={state.busy.value[`log ${profile}`]}
                onClick={() => loadOlder(profile)}
              >
                {t("ui.log.older")}
              </button>
            )}
          </div>
        )}
      </section>
    </>
  );
}
