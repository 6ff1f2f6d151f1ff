import type { ProfileRow } from "../engine/index.ts";
import type { StepProfile } from "../train/profile.ts";
import { alignedTable, type Row } from "./evaluation.ts";

/** Layers that get a line of their own. */
const LINES = 24;

/** Milliseconds of a line: in the forward pass, in the backward pass, and in all. */
interface Line {
  readonly name: string;
  readonly forward: number;
  readonly backward: number;
  readonly ms: number;
}

const plain = (name: string, ms: number): Line => ({ name, forward: 0, backward: 0, ms });

const sum = (name: string, rows: readonly ProfileRow[]): Line => {
  const total = (some: readonly ProfileRow[]): number => some.reduce((all, { ms }) => all + ms, 0);
  const of = (phase: ProfileRow["phase"]): number => total(rows.filter((row) => row.phase === phase));
  return { name, forward: of("forward"), backward: of("backward"), ms: total(rows) };
};

/** Rows summed by a name of theirs, most time first. */
function sumBy(rows: readonly ProfileRow[], nameOf: (row: ProfileRow) => string): Line[] {
  const lines = [...new Set(rows.map(nameOf))].map((name) =>
    sum(
      name,
      rows.filter((row) => nameOf(row) === name),
    ),
  );
  return lines.sort((a, b) => b.ms - a.ms);
}

const layerOf = ({ path, phase }: ProfileRow): string => (phase === "update" ? `${path}: optimizer` : path);

/** Lines by layer. What has no line of its own is one together. */
function layerLines(rows: readonly ProfileRow[]): Line[] {
  const lines = sumBy(rows, layerOf);
  if (lines.length <= LINES + 1) return lines;
  const rest = new Set(lines.slice(LINES).map(({ name }) => name));
  const others = rows.filter((row) => rest.has(layerOf(row)));
  return [...lines.slice(0, LINES), sum(`${rest.size} others`, others)];
}

/** Lines by kind, and what a step takes outside of kernels. */
function kindLines({ ms, runtime, waitingMs, aroundMs }: StepProfile["profiled"]): Line[] {
  const kernels = runtime.rows.reduce((all, row) => all + row.ms, 0);
  return [
    ...sumBy(runtime.rows, ({ kind }) => kind),
    plain("between kernels", runtime.ms - kernels),
    plain("around the runtime", aroundMs),
    plain("waiting for data", waitingMs),
    plain("the whole step", ms),
  ];
}

const time = (ms: number): string => (ms === 0 ? "–" : ms.toFixed(2));

function table(first: string, lines: readonly Line[], whole: number): string {
  const cells = ({ name, forward, backward, ms }: Line): Row => [
    name,
    time(forward),
    time(backward),
    ms.toFixed(2),
    ((100 * ms) / whole).toFixed(1),
  ];
  return alignedTable([first, "forward ms", "backward ms", "ms", "share %"], lines.map(cells));
}

/** A profile for people: where a step's time goes by kind and by layer, how even the steps are, and what they need. */
export function profileText({ steps, medianMs, worstMs, waiting, peakMB, profiled }: StepProfile): string {
  return [
    table("kind", kindLines(profiled), profiled.ms),
    table("layer", layerLines(profiled.runtime.rows), profiled.ms),
    [
      `${steps} steps without the profiler: median ${medianMs.toFixed(2)} ms, worst ${worstMs.toFixed(2)} ms (${(worstMs / medianMs).toFixed(2)} × the median)`,
      `waiting for data ${(100 * waiting).toFixed(1)} % of the time, peak memory of the process ${peakMB.toFixed(0)} MB`,
    ].join("\n"),
  ].join("\n\n");
}
