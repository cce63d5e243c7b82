import { openTab } from "../actions.ts";
import * as state from "../state.ts";
import { t } from "../words.ts";

/** Tabs as the ARIA authoring practices describe them: one stop for Tab, arrows go round, and choose. */
export function Tabs({ profile, tabs }: { profile: string; tabs: state.Tab[] }) {
  const on = state.tab.value;
  const walk = (event: KeyboardEvent) => {
    const at = tabs.indexOf(on);
    const to = {
      ArrowRight: at + 1,
      ArrowLeft: at - 1,
      Home: 0,
      End: tabs.length - 1,
    }[event.key];
    const next = to === undefined ? undefined : tabs.at(to % tabs.length);
    if (!next) return;
    event.preventDefault();
    openTab(next);
    document.getElementById(`tab-${next}`)?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label={t("ui.tabs", { profile })} onKeyDown={walk}>
      {tabs.map((each) => (
        <button
          key={each}
          type="button"
          role="tab"
          id={`tab-${each}`}
          data-testid={`tab-${each}`}
          aria-selected={each === on}
          aria-controls="panel"
          tabIndex={each === on ? 0 : -1}
          onClick={() => openTab(each)}
        >
          {t(`ui.tab.${each}`)}
        </button>
      ))}
    </div>
  );
}
