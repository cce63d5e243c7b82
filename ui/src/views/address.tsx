import { useEffect, useRef, useState } from "preact/hooks";
import { clock } from "../format.ts";
import * as state from "../state.ts";
import { t } from "../words.ts";

/**
 * For a person whose browser did not open, or not the one that they want: where they sign in, to be taken there by
 * hand. It is shown when it is asked for only, being long and of no use to most.
 */
export function Address({ profile, left }: { profile: string; left: number | undefined }) {
  const address = state.addresses.value[profile];
  const isOver = left === 0;
  const until = isOver
    ? t("ui.pending.address_over")
    : left && t("ui.pending.open_within", { left: clock(left) });
  return (
    <>
      {until && (
        <p class="time-left" role="timer" data-testid="open-within">
          {until}
        </p>
      )}
      {address && !isOver && <Copy profile={profile} address={address} key={address} />}
    </>
  );
}

function Copy({ profile, address }: { profile: string; address: string }) {
  const unopened = state.blames.value[`sign-in ${profile}`]?.failure.code === "no_browser";
  const [copied, setCopied] = useState<boolean | null>(null);
  const field = useRef<HTMLInputElement>(null);
  const shown = unopened || copied !== null;
  useEffect(() => {
    if (copied !== null) field.current?.select();
  }, [copied]);
  const copy = async () => {
    // Where it may not be written to the clipboard it stands in the field, selected.
    const done = navigator.clipboard?.writeText(address) ?? Promise.reject();
    setCopied(
      await done.then(
        () => true,
        () => false,
      ),
    );
  };
  return (
    <div class="take-along">
      {shown && (
        <label>
          <span>{t("ui.pending.address")}</span>
          <input
            ref={field}
            data-testid="address"
            readOnly
            value={address}
            onFocus={() => field.current?.select()}
          />
        </label>
      )}
      <button type="button" data-testid="copy-address" onClick={copy}>
        {t("ui.pending.copy")}
      </button>
      <span role="status">
        {copied !== null && t(copied ? "ui.pending.copied" : "ui.pending.copy_by_hand")}
      </span>
    </div>
  );
}
