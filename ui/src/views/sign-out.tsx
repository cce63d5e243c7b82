import { useEffect, useRef } from "preact/hooks";
import { logout } from "../actions.ts";
import * as state from "../state.ts";
import { t } from "../words.ts";

export type Leaving = "here" | "browser" | null;

/** Asks once, in the button's place, because what it ends cannot be had back without the person's password. */
export function SignOut(props: { profile: string; leaving: Leaving; onChange: (to: Leaving) => void }) {
  const { profile, leaving, onChange } = props;
  const first = useRef<HTMLButtonElement>(null);
  const no = useRef<HTMLButtonElement>(null);
  const before = useRef(leaving);
  useEffect(() => {
    if (leaving) no.current?.focus();
    else if (before.current && document.activeElement === document.body) first.current?.focus();
    before.current = leaving;
  }, [leaving]);
  if (!leaving) {
    return (
      <button
        ref={first}
        type="button"
        data-testid="sign-out"
        disabled={state.busy.value[`logout ${profile}`]}
        onClick={() => onChange("here")}
      >
        {t("ui.sign_out")}
      </button>
    );
  }
  const leave = () => {
    onChange(null);
    void logout(profile, leaving === "browser");
  };
  return (
    <fieldset
      class="sure"
      aria-describedby="sign-out-about"
      onKeyDown={(event) => {
        if (event.key === "Escape") onChange(null);
      }}
    >
      <legend class="unseen">{t("ui.sign_out")}</legend>
      <span id="sign-out-about">
        {t(leaving === "browser" ? "ui.sign_out.sure.browser" : "ui.sign_out.sure")}
      </span>
      <button type="button" class="danger" data-testid="sign-out-yes" onClick={leave}>
        {t("ui.sign_out")}
      </button>
      <button ref={no} type="button" data-testid="sign-out-no" onClick={() => onChange(null)}>
        {t("ui.cancel")}
      </button>
    </fieldset>
  );
}
