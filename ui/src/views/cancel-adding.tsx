import * as state from "../state.ts";
import { t } from "../words.ts";

export function CancelAdding() {
  return (
    <button
      type="button"
      data-testid="new-cancel"
      onClick={() => {
        state.adding.value = false;
      }}
    >
      {t("ui.cancel")}
    </button>
  );
}
