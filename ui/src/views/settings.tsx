import { saveSettings } from "../actions.ts";
import type { Settings } from "../host.ts";
import * as state from "../state.ts";
import { t } from "../words.ts";
import { Dialog } from "./dialog.tsx";
import { Problem } from "./failure.tsx";

export function SettingsDialog() {
  if (!state.settingsOpen.value) return null;
  const close = () => {
    state.settingsOpen.value = false;
  };
  const { theme, language, system_language } = state.settings.value;
  const about = state.overview.value;
  return (
    <Dialog title={t("ui.settings")} onClose={close}>
      <div class="field">
        <label for="theme">{t("ui.set.theme")}</label>
        <select
          id="theme"
          data-testid="theme"
          value={theme}
          onChange={(event) => saveSettings({ theme: event.currentTarget.value as Settings["theme"] })}
        >
          {(["system", "light", "dark"] as const).map((each) => (
            <option key={each} value={each}>
              {t(`ui.set.theme.${each}`)}
            </option>
          ))}
        </select>
      </div>
      <div class="field">
        <label for="language">{t("ui.set.language")}</label>
        <select
          id="language"
          data-testid="language"
          value={language}
          onChange={(event) => saveSettings({ language: event.currentTarget.value as Settings["language"] })}
        >
          <option value="system">{t("ui.set.language.system", { language: NAMES[system_language] })}</option>
          <option value="en" lang="en">
            {NAMES.en}
          </option>
          <option value="zh-CN" lang="zh-CN">
            {NAMES["zh-CN"]}
          </option>
        </select>
      </div>
      <Problem of="settings" />
      {about && (
        <small class="about">
          {t("ui.set.version", { version: about.version })} ·{" "}
          {t("ui.set.vault", { vault: t(`vault.kind.${about.vault.kind}`) })}
        </small>
      )}
      <div class="actions">
        <button type="button" class="primary" data-testid="close" onClick={close}>
          {t("ui.close")}
        </button>
      </div>
    </Dialog>
  );
}

/** Each in its own language, for whoever cannot read the present one. */
const NAMES = { en: "English", "zh-CN": "简体中文" } as const;
