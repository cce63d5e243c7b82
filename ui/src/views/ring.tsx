import type { SessionView } from "../api.ts";
import { clock, span } from "../format.ts";
import { isAssumed } from "../sentences.ts";
import { t } from "../words.ts";

/**
 * What is left of the access token, drawn from the top clockwise, with a mark where it will be refreshed. One of which
 * nobody said how long it lives has no end that could be drawn: its ring is whole and broken, and the time is that to
 * the next refresh.
 */
export function Ring({ session }: { session: SessionView }) {
  const { access, phase, refresh_in_ms } = session;
  const remaining = access && !access.rejected ? access.remaining_ms : 0;
  const assumed = isAssumed(session);
  const left = assumed ? 1 : access ? Math.min(1, remaining / Math.max(1, access.lifetime_ms)) : 0;
  const mark =
    access && refresh_in_ms !== null && !assumed
      ? Math.max(0, (access.remaining_ms - refresh_in_ms) / Math.max(1, access.lifetime_ms))
      : null;
  const low = left < LOW;
  const time = assumed ? refresh_in_ms : remaining;
  const text = access && time !== null ? clock(time) : "–";
  const below = belowWords(session, remaining);
  const size = text.length < 6 ? "" : text.length < 9 ? "long" : "longer";
  return (
    <svg
      class={`ring ring-${phase.name} ${low ? "low" : ""} ${assumed ? "assumed" : ""}`}
      viewBox="0 0 190 190"
      role="img"
      aria-label={label(session)}
    >
      <circle class="track" cx="95" cy="95" r="80" />
      {left > 0 && (
        <circle
          class="rest"
          cx="95"
          cy="95"
          r="80"
          pathLength="100"
          stroke-dasharray={assumed ? BROKEN : `${round(left * 100)} 100`}
          transform="rotate(-90 95 95)"
        />
      )}
      {mark !== null && mark < 1 && (
        <path class="due" d="M95 6v18" transform={`rotate(${round(mark * 360)} 95 95)`} />
      )}
      {[0, 60, 120, 180, 240, 300].map((turn) => (
        <path class="tick" key={turn} d="M95 28v5" transform={`rotate(${turn} 95 95)`} />
      ))}
      {phase.name === "Refreshing" && <path class="turning" d="M95 34a61 61 0 0 1 61 61" />}
      <text class={`time ${size}`} x="95" y="101" data-testid="countdown">
        {text}
      </text>
      <text class="of" x="95" y="122">
        {below}
      </text>
    </svg>
  );
}

function label(session: SessionView): string {
  const { access, refresh_in_ms } = session;
  if (!access) return t("ui.ring.none");
  if (access.rejected) return t("ui.ring.rejected");
  if (isAssumed(session)) {
    return t("ui.ring.label.assumed", { refresh_in: refresh_in_ms === null ? null : span(refresh_in_ms) });
  }
  const remaining = span(access.remaining_ms);
  const lifetime = span(access.lifetime_ms);
  return refresh_in_ms === null
    ? t("ui.ring.label.plain", { remaining, lifetime })
    : t("ui.ring.label", { remaining, lifetime, refresh_in: span(refresh_in_ms) });
}

function belowWords(session: SessionView, remaining: number): string {
  const { access, refresh_in_ms } = session;
  if (!access) return t("ui.ring.none");
  if (access.rejected) return t("ui.fact.rejected");
  if (isAssumed(session)) return t(refresh_in_ms === null ? "ui.ring.assumed" : "ui.ring.refresh");
  return remaining > 0 ? t("ui.ring.left", { lifetime: clock(access.lifetime_ms) }) : t("ui.ring.over");
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

const LOW = 0.2;
/** Of a path that is a hundred long. */
const BROKEN = "2.5 2.5";
