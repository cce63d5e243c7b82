import type { Discovery } from "../api.ts";
import { DPOP, GRANTS, grantOf, isPort, REDIRECT_HOSTS, type Typed } from "../draft.ts";
import { t } from "../words.ts";
import { Choice, Lines, TextField } from "./fields.tsx";

/** What some providers want and most do not. */
export function RarelyNeeded(props: {
  typed: Typed;
  found: Discovery;
  onChange: (part: Partial<Typed>) => void;
}) {
  const { typed, found, onChange } = props;
  const wrongPort = !isPort(typed.redirect_port);
  const off = { authorization_code: !found.browser, device_code: !found.device };
  return (
    <details class="rarely" data-testid="new-more" open={wrongPort || undefined}>
      <summary>{t("ui.new.more")}</summary>
      <div>
        <Choice
          id="new-grant"
          label={t("ui.new.grant")}
          value={grantOf(typed, found)}
          options={GRANTS.map((value) => ({
            value,
            label: t(`ui.new.grant.${value}`),
            off: (off as Record<string, boolean>)[value] ?? false,
          }))}
          onChoose={(grant) => onChange({ grant })}
        />
        <Lines
          id="new-resources"
          label={t("ui.new.resources")}
          hint={t("ui.new.resources.hint")}
          optional
          value={typed.resources}
          onType={(resources) => onChange({ resources })}
        />
        <TextField
          id="new-audience"
          label={t("ui.new.audience")}
          hint={t("ui.new.audience.hint")}
          optional
          value={typed.audience}
          onType={(audience) => onChange({ audience })}
        />
        <Lines
          id="new-indicators"
          label={t("ui.new.indicators")}
          hint={t("ui.new.indicators.hint")}
          optional
          value={typed.resource_indicators}
          onType={(resource_indicators) => onChange({ resource_indicators })}
        />
        <Choice
          id="new-redirect-host"
          label={t("ui.new.redirect_host")}
          hint={t("ui.new.redirect_host.hint")}
          value={typed.redirect_host}
          options={REDIRECT_HOSTS.map((value) => ({ value, label: value }))}
          onChoose={(redirect_host) => onChange({ redirect_host })}
        />
        <TextField
          id="new-redirect-port"
          label={t("ui.new.redirect_port")}
          hint={t("ui.new.redirect_port.hint")}
          optional
          value={typed.redirect_port}
          onType={(redirect_port) => onChange({ redirect_port })}
          wrong={wrongPort && t("ui.new.redirect_port.wrong")}
          more={{ inputMode: "numeric" }}
        />
        <Choice
          id="new-dpop"
          label={t("ui.new.dpop")}
          value={typed.dpop}
          options={(Object.keys(DPOP) as Typed["dpop"][]).map((value) => ({
            value,
            label: t(`ui.new.dpop.${value}`),
          }))}
          onChoose={(dpop) => onChange({ dpop })}
        />
      </div>
    </details>
  );
}
