import { useEffect, useRef, useState } from "preact/hooks";
import { forgetFailures, unlock } from "../actions.ts";
import type { VaultKind, VaultTrouble } from "../api.ts";
import * as state from "../state.ts";
import { t } from "../words.ts";
import { Problem } from "./failure.tsx";

/** What a person can do about what is stored and not open, if anything. */
export function Unlock({ kind, trouble }: { kind: VaultKind; trouble: VaultTrouble }) {
  useEffect(() => () => forgetFailures("unlock"), []);
  switch (trouble) {
    case "locked":
    case "not_allowed":
      return <Button label="ui.unlock" />;
    case "command_failed":
    case "file_exposed":
    case "file_unreadable":
      return <Button label="ui.retry_unlock" />;
    case "passphrase_needed":
    case "passphrase_wrong":
      return <Passphrase key="known" />;
    case "key_file_damaged":
    case "key_file_gone":
      return kind === "passphrase" ? <Passphrase key="new" isNew /> : null;
    case "passphrase_unset":
      return <Passphrase key="new" isNew />;
    default:
      return null;
  }
}

/** A dialog of the keyring, or of a program that knows the passphrase, may open. */
function Button({ label }: { label: "ui.unlock" | "ui.retry_unlock" }) {
  const busy = state.busy.value.unlock === true;
  return (
    <>
      <Problem of="unlock" />
      <div class="actions">
        <button
          type="button"
          data-testid="unlock"
          aria-disabled={busy}
          onClick={() => {
            if (!busy) void unlock(null);
          }}
        >
          {t(busy ? "ui.unlocking" : label)}
        </button>
      </div>
    </>
  );
}

/** A new one is typed twice. What is typed stays in its field, and is in none after it was right. */
function Passphrase({ isNew = false }: { isNew?: boolean }) {
  const [gap, setGap] = useState<"ui.needed" | "ui.unlock.differ" | null>(null);
  const field = useRef<HTMLInputElement>(null);
  const again = useRef<HTMLInputElement>(null);
  const busy = state.busy.value.unlock === true;
  const submit = async (event: Event) => {
    event.preventDefault();
    const typed = field.current?.value ?? "";
    const differs = isNew && again.current?.value !== typed;
    const missing = typed === "" ? "ui.needed" : differs ? "ui.unlock.differ" : null;
    setGap(missing);
    if (missing !== null || busy) return;
    if (await unlock(typed)) return;
    field.current?.focus();
    field.current?.select();
  };
  const more = {
    type: "password",
    autocomplete: isNew ? "new-password" : "current-password",
    required: true,
    "aria-invalid": gap !== null,
  } as const;
  const about = [gap && "unlock-gap", isNew && "unlock-note"].filter(Boolean).join(" ") || undefined;
  return (
    <form class="unlock" onSubmit={submit} noValidate>
      <label>
        <span>{t(isNew ? "ui.unlock.new" : "ui.unlock.field")}</span>
        <input ref={field} data-testid="passphrase" aria-describedby={about} {...more} />
      </label>
      {isNew && (
        <label>
          <span>{t("ui.unlock.again")}</span>
          <input ref={again} data-testid="passphrase-again" aria-describedby={about} {...more} />
        </label>
      )}
      {gap && (
        <p class="missing" role="alert" id="unlock-gap">
          {t(gap)}
        </p>
      )}
      <Problem of="unlock" />
      <div class="actions">
        <button type="submit" data-testid="unlock" aria-disabled={busy}>
          {t(busy ? "ui.unlocking" : isNew ? "ui.unlock.choose" : "ui.unlock.passphrase")}
        </button>
      </div>
      {isNew && <small id="unlock-note">{t("ui.unlock.note")}</small>}
    </form>
  );
}
