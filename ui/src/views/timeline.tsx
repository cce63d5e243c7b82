import { useEffect } from "preact/hooks";
import { forgetPast, loadOlder } from "../actions.ts";
import { MOST } from "../log.ts";
import * as state from "../state.ts";
import { t } from "../words.ts";
import { Problem } from "./failure.tsx";
import { History } from "./history.tsx";
import { StripCard } from "./strip-card.tsx";

export function Timeline({ profile }: { profile: string }) {
  const log = state.logs.value[profile];
  useEffect(() => () => forgetPast(profile), [profile]);
  return (
    <>
      <StripCard log={log} legend />
      <section class="card">
        <h3 class="small">{t("ui.log.title")}</h3>
        {log && log.size > 0 ? <History log={log} /> : <p class="idle">{t("ui.log.empty")}</p>}
        <Problem of={`log ${profile}`} />
        <div class="after">
          {log?.complete && log.size > 0 && <small>{t("ui.log.end")}</small>}
          {log && !log.complete && log.size < MOST && (
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
      </section>
    </>
  );
}
