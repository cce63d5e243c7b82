import { signal } from "@preact/signals";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { entriesOf, type Log } from "../log.ts";
import * as state from "../state.ts";
import { type Chronicle, chronicle } from "../strip.ts";
import { t } from "../words.ts";
import { StripDrawing } from "./strip-drawing.tsx";

const RANGES = { short: 3 * 60_000, long: 30 * 60_000, all: null } as const;
const range = signal<keyof typeof RANGES>("short");

export function StripCard({ log, legend = false }: { log: Log | undefined; legend?: boolean }) {
  const told = useMemo(() => chronicle(log ? entriesOf(log) : []), [log]);
  const place = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(720);
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const watch = new ResizeObserver(() => setWidth(element.clientWidth || 720));
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  const span = RANGES[range.value];
  const now = inSteps(state.overviewAt.value, span ?? sinceFirst(told), width);
  return (
    <section class="card strip-card">
      <h3 class="small">
        {t("ui.strip.title")}
        <select
          class="link"
          data-testid="range"
          aria-label={t("ui.strip.range")}
          value={range.value}
          onChange={(event) => {
            range.value = event.currentTarget.value as keyof typeof RANGES;
          }}
        >
          {(Object.keys(RANGES) as (keyof typeof RANGES)[]).map((each) => (
            <option key={each} value={each}>
              {t(`ui.strip.${each}`)}
            </option>
          ))}
        </select>
      </h3>
      <div class="strip" ref={place}>
        <StripDrawing told={told} now={now} span={span} width={width} />
      </div>
      {legend && <Legend />}
    </section>
  );
}

/** Drawn again only when what has passed since can be seen. */
function inSteps(now_ms: number, span_ms: number, width: number): number {
  const pixel = 2 ** Math.floor(Math.log2(Math.max(1, span_ms / Math.max(1, width))));
  return Math.ceil(now_ms / pixel) * pixel;
}

function sinceFirst({ old }: Chronicle): number {
  return state.overviewAt.value - (old[0]?.at_ms ?? state.overviewAt.value);
}

function Legend() {
  return (
    <ul class="legend" aria-hidden="true">
      {(["token", "refresh", "heartbeat", "failure", "sleep"] as const).map((each) => (
        <li key={each}>
          <i class={`key key-${each}`} />
          {t(`ui.legend.${each}`)}
        </li>
      ))}
    </ul>
  );
}
