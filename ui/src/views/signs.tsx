import type { PhaseView } from "../api.ts";
import type { Mark } from "../sentences.ts";

/** The state as a shape: lit, turning, waiting, or an empty outline when a person is needed. */
export function Flame({ phase, size = 26 }: { phase: PhaseView["name"]; size?: number }) {
  const turning = phase === "Refreshing" || phase === "SigningIn";
  return (
    <svg class={`flame flame-${phase}`} width={size} height={size} viewBox="0 0 26 26" aria-hidden="true">
      <path class="body" d={FLAME} />
      {phase === "Fresh" && <path class="heart" d={HEART} />}
      {phase === "Waiting" && <path class="hand" d="M13 13.2v3.2l2.2 1.4" />}
      {turning && (
        <g class="orbit">
          <path d="M22.6 10.2a10.4 10.4 0 0 1-3.4 11.2M3.4 15.800a10.4 10.4 0 0 1 3.4-11.2" />
        </g>
      )}
    </svg>
  );
}

export function MarkSign({ mark }: { mark: Mark }) {
  return (
    <svg class={`mark mark-${mark}`} width="18" height="18" viewBox="0 0 18 18" aria-hidden="true">
      <path d={MARKS[mark]} />
    </svg>
  );
}

export function Icon({ name }: { name: keyof typeof ICONS }) {
  return (
    <svg class="icon" width="18" height="18" viewBox="0 0 18 18" aria-hidden="true">
      <path d={ICONS[name]} />
    </svg>
  );
}

const FLAME =
  "M13 2.600c.7 3.9 6.9 6.2 6.9 12.400A6.9 6.9 0 0 1 13 22.200a6.9 6.9 0 0 1-6.9-7.200c0-2.7 1.2-4.4 2.7-6.2.4 1.6 1.1 2.5 2.1 2.800C10.4 8.2 11.1 5 13 2.600z";
const HEART =
  "M13 13c.4 1.8 2.8 2.5 2.8 5A2.8 2.8 0 0 1 13 20.7 2.8 2.8 0 0 1 10.2 18C10.2 15.8 12.5 15 13 13z";

const MARKS: Record<Mark, string> = {
  refresh: "M9 4a5 5 0 1 1 0 10A5 5 0 0 1 9 4z",
  heartbeat: "M1.5 9.500h4l2-4.5 3 8.5 2-4h4",
  failure: "M9 3l7 12H2z",
  person: "M9 8.500a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM3.5 15.500c.4-3.4 2.6-5 5.5-5s5.1 1.6 5.5 5z",
  sleep: "M13.8 11.300A6 6 0 0 1 6.7 4.200a6 6 0 1 0 7.1 7.100z",
  keeper: "M9 2.500c.5 2.4 4.3 4 4.3 7.900A4.3 4.3 0 0 1 9 15a4.3 4.3 0 0 1-4.3-4.600C4.7 6.5 8.5 5 9 2.500z",
  request: "M3 6h9M9 3l3 3-3 3M15 12H6M9 9l-3 3 3 3",
  key: "M6 12a3 3 0 1 1 2.6-4.500H16v3h-2v2h-3v-2H8.600A3 3 0 0 1 6 12z",
};

const ICONS = {
  plus: "M9 3.500v11M3.5 9h11",
  gear: "M2.5 5.500h6M13 5.500h2.500M8.5 5.500a2.2 2.2 0 1 0 4.5 0 2.2 2.2 0 0 0-4.5 0M2.5 12.500h2M9 12.500h6.500M4.5 12.500a2.2 2.2 0 1 0 4.5 0 2.2 2.2 0 0 0-4.5 0",
  more: "M3.5 9h.01M9 9h.01M14.5 9h.01",
  close: "M4.5 4.500l9 9M13.5 4.500l-9 9",
};
