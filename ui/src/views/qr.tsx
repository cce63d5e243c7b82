/** Dark on light in every theme, with the quiet zone around it that scanners need. */
export function QrCode({ rows, label }: { rows: string[]; label: string }) {
  const size = Math.max(rows.length, ...rows.map((row) => row.length)) + 2 * QUIET;
  return (
    <svg class="qr" data-testid="qr" role="img" aria-label={label} viewBox={`0 0 ${size} ${size}`}>
      <rect class="light" width={size} height={size} />
      <path class="dark" shape-rendering="crispEdges" d={rows.map(dark).join("")} />
    </svg>
  );
}

/** A row's dark squares, each run of them as one rectangle. */
function dark(row: string, y: number): string {
  return [...row.matchAll(/#+/g)]
    .map(({ index, 0: run }) => `M${QUIET + index} ${QUIET + y}h${run.length}v1h-${run.length}z`)
    .join("");
}

const QUIET = 4;
