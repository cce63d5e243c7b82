import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Entry } from "../api.ts";
import * as state from "../state.ts";
import { t } from "../words.ts";
import { StripDrawing } from "./strip-drawing.tsx";

const RANGES = { short: 3 * 60_000, long: 30 * 60_000, all: null } as const;
const range = signal<keyof typeof RANGES>("short");

export function StripCard({ entries, legend = false }: { entries: Entry[]; legend?: boolean }) {
  const place = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(720);
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const watch = new ResizeObserver(() => setWidth(element.clientWidth || 720));
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
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
        <StripDrawing
          entries={entries}
          now={state.overviewAt.value}
          span={RANGES[range.value]}
          width={width}
        />
      </div>
      {legend && <Legend />}
    </section>
  );
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
