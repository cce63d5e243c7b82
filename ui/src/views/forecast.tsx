import type { SessionView } from "../api.ts";
import { forecastWords } from "../sentences.ts";
import { t } from "../words.ts";

/** What is known of the end of the sign-in: a quiet line, until a person may want to do something about it. */
export function ForecastLine({ session, onAgain }: { session: SessionView; onAgain: () => void }) {
  const { forecast } = session;
  if (!forecast) return null;
  const what = t("ui.forecast", { what: forecastWords(forecast) });
  if (!forecast.is_near) {
    return (
      <p class="forecast" data-testid="forecast">
        {what}
      </p>
    );
  }
  return (
    <div class="forecast near" data-testid="forecast">
      <p>
        {what} {t("ui.forecast.near")}
      </p>
      <button type="button" data-testid="sign-in-again" onClick={onAgain}>
        {t("ui.forecast.again")}
      </button>
    </div>
  );
}
