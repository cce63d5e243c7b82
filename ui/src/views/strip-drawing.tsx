import { day, span as inSpans, minutes, seconds } from "../format.ts";
import { type Chronicle, strip } from "../strip.ts";
import { language, t } from "../words.ts";

export function StripDrawing(props: { told: Chronicle; now: number; span: number | null; width: number }) {
  const drawn = strip(props.told, props.now, props.span, props.width);
  const label = drawn.empty ? t("ui.strip.empty") : t("ui.strip.label", drawn.counts);
  return (
    <svg width={props.width} height="92" data-testid="strip" role="img" aria-label={label}>
      {drawn.sleeps.map((sleep) => (
        <g key={sleep.x} class="sleep">
          <title>{t("ui.strip.sleep", { slept: inSpans(sleep.slept_ms) })}</title>
          <rect x={sleep.x} y="6" width={sleep.w} height="66" rx="3" />
          {sleep.w > 28 && (
            <text x={sleep.x + sleep.w / 2} y="44">
              {t("ui.strip.zzz")}
            </text>
          )}
        </g>
      ))}
      {drawn.bars.map((bar) => (
        <rect
          key={`${bar.generation} ${bar.x}`}
          class={`life ${bar.current ? "current" : ""} ${bar.assumed ? "assumed" : ""}`}
          x={bar.x}
          y={bar.lane === 0 ? 14 : 33}
          width={bar.w}
          height="14"
          rx={Math.min(4, bar.w / 2)}
        >
          <title>
            {t(bar.assumed ? "ui.strip.token.assumed" : "ui.strip.token", {
              generation: bar.generation ?? "",
              lifetime: inSpans(bar.lifetime_ms),
            })}
          </title>
        </rect>
      ))}
      {drawn.refreshes.map(({ x, entry }) => (
        <path key={entry.id} class="refreshed" d={`M${x} 9v43`}>
          <title>{`${seconds(entry.at_ms)} ${entry.says[language.value]}`}</title>
        </path>
      ))}
      {drawn.heartbeats.map(({ x, entry, good }) => (
        <path key={entry.id} class={good ? "beat" : "beat no"} d={`M${x - 7} 63h4l2-4 3 8 2-4h4`}>
          <title>{`${seconds(entry.at_ms)} ${entry.says[language.value]}`}</title>
        </path>
      ))}
      {drawn.failures.map(({ x, entry, person }) => (
        <path key={entry.id} class={person ? "fell person" : "fell"} d={`M${x} 57l6.5 11.5h-13z`}>
          <title>{`${seconds(entry.at_ms)} ${entry.says[language.value]}`}</title>
        </path>
      ))}
      {drawn.empty && drawn.bars.length === 0 && (
        <text class="nothing" x={drawn.now / 2} y="42">
          {t("ui.strip.empty")}
        </text>
      )}
      <path class="now" d={`M${drawn.now} 4v70`} />
      {drawn.ticks.map((tick) => (
        <text key={tick.at_ms} class="tick" x={tick.x} y="88" text-anchor={anchor(tick.x, props.width)}>
          {LABELS[tick.unit](tick.at_ms)}
        </text>
      ))}
    </svg>
  );
}

function anchor(x: number, width: number): "start" | "middle" | "end" {
  if (x < 30) return "start";
  return x > width - 30 ? "end" : "middle";
}

const LABELS = { second: seconds, minute: minutes, day };
