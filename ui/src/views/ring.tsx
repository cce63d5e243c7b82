import type { SessionView } from "../api.ts";
import { clock, span } from "../format.ts";
import { t } from "../words.ts";

/** What is left of the access token, drawn from the top clockwise, with a mark where it will be refreshed. */
export function Ring({ session }: { session: SessionView }) {
  const { access, phase, refresh_in_ms } = session;
  const remaining = access && !access.rejected ? access.remaining_ms : 0;
  const left = access ? Math.min(1, remaining / Math.max(1, access.lifetime_ms)) : 0;
  const mark =
    access && refresh_in_ms !== null
      ? Math.max(0, (access.remaining_ms - refresh_in_ms) / Math.max(1, access.lifetime_ms))
      : null;
  const low = left < LOW;
  const text = access ? clock(remaining) : "–";
  const below = access ? belowWords(access.rejected, remaining, access.lifetime_ms) : t("ui.ring.none");
  const size = text.length < 6 ? "" : text.length < 9 ? "long" : "longer";
  return (
    <svg
      class={`ring ring-${phase.name} ${low ? "low" : ""}`}
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
          stroke-dasharray={`${round(left * 100)} 100`}
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

function label({ access, refresh_in_ms }: SessionView): string {
  if (!access) return t("ui.ring.none");
  if (access.rejected) return t("ui.ring.rejected");
  const remaining = span(access.remaining_ms);
  const lifetime = span(access.lifetime_ms);
  return refresh_in_ms === null
    ? t("ui.ring.label.plain", { remaining, lifetime })
    : t("ui.ring.label", { remaining, lifetime, refresh_in: span(refresh_in_ms) });
}

function belowWords(rejected: boolean, remaining: number, lifetime: number): string {
  if (rejected) return t("ui.fact.rejected");
  return remaining > 0 ? t("ui.ring.left", { lifetime: clock(lifetime) }) : t("ui.ring.over");
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

const LOW = 0.2;
