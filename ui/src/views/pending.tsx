import { cancelSignIn, openVerification, signIn } from "../actions.ts";
import type { Pending, Way } from "../api.ts";
import { clock } from "../format.ts";
import * as state from "../state.ts";
import { t } from "../words.ts";
import { Address } from "./address.tsx";
import { Elsewhere } from "./elsewhere.tsx";
import { Problem } from "./failure.tsx";
import { QrCode } from "./qr.tsx";

/** A sign-in that goes on somewhere else: what to do there, for how long still, and how to get out of it. */
export function PendingSignIn(props: { profile: string; pending: Pending; ways: Way[] }) {
  const { profile, pending, ways } = props;
  const busy = state.busy.value[`sign-in ${profile}`];
  return (
    <div class="tale" data-testid="pending" data-way={pending.way}>
      <h3 data-focus tabIndex={-1}>
        {t(`ui.pending.${pending.way}`)}
      </h3>
      <p>{t(`ui.pending.${pending.way}.body`)}</p>
      {pending.way === "device" && <Code device={pending} />}
      <p class="time-left">
        <Countdown left={pending.expires_in_ms} />
      </p>
      <Problem of={`sign-in ${profile}`} />
      {pending.way === "browser" && <Address profile={profile} left={pending.open_within_ms} />}
      {pending.way === "browser" && <Elsewhere profile={profile} />}
      <div class="actions">
        {pending.way === "browser" ? (
          <button
            type="button"
            data-testid="open-again"
            disabled={busy}
            onClick={() => signIn(profile, "browser")}
          >
            {t("ui.pending.again")}
          </button>
        ) : (
          <button
            type="button"
            data-testid="open-verification"
            disabled={busy}
            onClick={() => openVerification(profile)}
          >
            {t("ui.pending.open")}
          </button>
        )}
        {pending.way === "browser" && ways.includes("device") && (
          <button
            type="button"
            data-testid="sign-in-device"
            disabled={busy}
            onClick={() => signIn(profile, "device")}
          >
            {t("ui.pending.instead")}
          </button>
        )}
        <button
          type="button"
          data-testid="sign-in-cancel"
          disabled={busy}
          onClick={() => cancelSignIn(profile)}
        >
          {t("ui.cancel")}
        </button>
      </div>
    </div>
  );
}

function Code({ device }: { device: Extract<Pending, { way: "device" }> }) {
  return (
    <div class="device">
      <dl>
        <dt>{t("ui.pending.address")}</dt>
        <dd class="address" data-testid="verification-uri">
          {device.verification_uri}
        </dd>
        <dt>{t("ui.pending.code")}</dt>
        <dd class="code" data-testid="user-code" translate={false}>
          {device.user_code}
        </dd>
      </dl>
      {device.qr.length > 0 && <QrCode rows={device.qr} label={t("ui.pending.qr")} />}
      <p class="warning">{t("ui.pending.warning")}</p>
    </div>
  );
}

/** Counted by the keeper. A timer, and so not read out with every second. */
function Countdown({ left }: { left: number }) {
  return (
    <span role="timer" data-testid="time-left">
      {left > 0 ? t("ui.pending.left", { left: clock(left) }) : t("ui.pending.over")}
    </span>
  );
}
