import { useEffect, useRef, useState } from "preact/hooks";
import { remove } from "../actions.ts";
import type { SessionView } from "../api.ts";
import * as state from "../state.ts";
import { t } from "../words.ts";
import { Dialog } from "./dialog.tsx";
import { Problem } from "./failure.tsx";
import { Icon } from "./signs.tsx";

/** The small menu for what is rarely wanted. */
export function More(props: { session: SessionView; onSignOutBrowser: () => void }) {
  const { session, onSignOutBrowser } = props;
  const { profile } = session;
  const [open, setOpen] = useState(false);
  const [asking, setAsking] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!open) return;
    place.current?.querySelector<HTMLElement>("[role=menuitem]")?.focus();
    const away = (event: Event) => {
      if (!place.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", away);
    return () => document.removeEventListener("pointerdown", away);
  }, [open]);
  const keys = (event: KeyboardEvent) => {
    if (!open) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      const items = [...(place.current?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
      items.at((items.indexOf(document.activeElement as HTMLElement) + step) % items.length)?.focus();
    }
    if (event.key !== "Escape" && event.key !== "Tab") return;
    setOpen(false);
    if (event.key === "Escape") button.current?.focus();
  };
  const choose = () => {
    button.current?.focus();
    setOpen(false);
  };
  return (
    <div class="more" role="none" ref={place} onKeyDown={keys}>
      <button
        ref={button}
        type="button"
        class="only-icon"
        data-testid="more"
        aria-label={t("ui.more", { profile })}
        aria-haspopup="menu"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        <Icon name="more" />
      </button>
      {open && (
        <div class="menu" role="menu" aria-label={t("ui.more", { profile })}>
          {session.browser_logout && (
            <button
              type="button"
              role="menuitem"
              data-testid="sign-out-browser"
              onClick={() => {
                choose();
                onSignOutBrowser();
              }}
            >
              {t("ui.sign_out.browser")}
            </button>
          )}
          <button
            type="button"
            role="menuitem"
            class="danger"
            data-testid="remove"
            onClick={() => {
              choose();
              setAsking(true);
            }}
          >
            {t("ui.remove")}
          </button>
        </div>
      )}
      {asking && (
        <Dialog title={t("ui.remove.title", { profile })} onClose={() => setAsking(false)}>
          <p>{t("ui.remove.body")}</p>
          <Problem of={`remove ${profile}`} />
          <div class="actions">
            <button type="button" onClick={() => setAsking(false)}>
              {t("ui.cancel")}
            </button>
            <button
              type="button"
              class="danger"
              data-testid="confirm"
              disabled={state.busy.value[`remove ${profile}`]}
              onClick={async () => {
                if (await remove(profile)) setAsking(false);
              }}
            >
              {t("ui.remove.confirm")}
            </button>
          </div>
        </Dialog>
      )}
    </div>
  );
}
