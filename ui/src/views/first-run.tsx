import * as state from "../state.ts";
import { t } from "../words.ts";
import { Flame } from "./signs.tsx";

export function FirstRun() {
  return (
    <section class="first">
      <Flame phase="Fresh" size={96} />
      <h2>{t("ui.first.title")}</h2>
      <p>{t("ui.first.body")}</p>
      <ol>
        <li>{t("ui.first.step1")}</li>
        <li>{t("ui.first.step2")}</li>
        <li>{t("ui.first.step3")}</li>
      </ol>
      <button
        type="button"
        class="primary"
        data-testid="first-add"
        onClick={() => {
          state.adding.value = true;
        }}
      >
        {t("ui.add")}
      </button>
    </section>
  );
}
