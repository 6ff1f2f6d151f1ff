import { normOf } from "../engine/index.ts";
import type { MetricLine } from "./metricLines.ts";

/** What went wrong, by kind: what was seen, with its numbers, and what to do. */
export type Alarms = Readonly<Record<string, string>>;

/** Steps before which a generator is not judged, and over which its samples should change. */
const SPAN = 200;
/**
 * Diversity under which samples count as all alike, and above which they no longer do. Healthy runs on drawn shapes
 * reach 0.4 within 300 steps and 0.9 in the end.
 */
const ALIKE = { from: 0.15, until: 0.2 } as const;
/** The discriminator is as good as always right. */
const RIGHT = 0.99;
/**
 * A discriminator's loss that leaves nothing to learn: 1.4 at the start; 0.03 was the least that a healthy run passed
 * through.
 */
const NOTHING = 0.02;
/** Share of the generator's usual gradient under which it has vanished. */
const VANISHED = 0.01;

const cure = "lower the learning rate, set r1 to 10 or use another loss";

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value / values.length, 0);
const short = (value: number): string => String(Number(value.toPrecision(2)));

interface Measured {
  readonly step: number;
  readonly diversity: number;
}

/**
 * What metrics say about a generator that learns from a discriminator; asked after a line with its samples' diversity.
 */
export function generatorAlarms(lines: readonly MetricLine[]): Alarms {
  const evaluated = lines.filter(({ evaluation }) => evaluation?.diversity !== undefined);
  const measured = evaluated.map(({ step, evaluation }): Measured => ({ step, diversity: evaluation!.diversity! }));
  const now = measured.at(-1);
  const before = measured.findLast(({ step }) => now && step <= now.step - SPAN);
  if (!before || !now) return {};
  const isOn = evaluated.at(-2)?.alarms?.collapse !== undefined;
  const collapse = collapseOf(measured, before, isOn);
  const isBetter = now.diversity > 1.05 * before.diversity;
  const saturation = isBetter ? undefined : saturationOf(lines, measured.at(-2)!.step);
  return { ...(collapse && { collapse }), ...(saturation && { saturation }) };
}

/** Samples that are alike and do not become more different. @param isOn whether that was said of the sample before */
function collapseOf(measured: readonly Measured[], before: Measured, isOn: boolean): string | undefined {
  const now = measured.at(-1)!.diversity;
  if (isOn ? now >= ALIKE.until : now >= ALIKE.from || now > 1.05 * before.diversity) return undefined;
  const seen = `samples are ${Math.round(100 * (1 - now))} % alike (diversity ${short(now)} of the training pictures')`;
  const wasBetter = measured.some(({ diversity }) => diversity >= ALIKE.until);
  return `${seen}: the generator has collapsed${wasBetter ? "" : ", or has not begun to learn"}; ${cure}`;
}

/**
 * A discriminator that is always right by a wide margin, so that neither player learns.
 * @param since the step of the sample before
 */
function saturationOf(lines: readonly MetricLine[], since: number): string | undefined {
  const numbers = (name: string, isIn: (step: number) => boolean): number[] =>
    lines.flatMap(({ step, losses }) => (losses?.[name] !== undefined && isIn(step) ? [losses[name]] : []));
  const window = (name: string): number => meanOf(numbers(name, (step) => step > since));
  const accuracy = window("accuracy");
  if (numbers("accuracy", (step) => step > since).length === 0 || accuracy < RIGHT) return undefined;
  const loss = window("discriminator") - window("penalty");
  const norms = numbers(normOf("generator"), (step) => step <= since).sort((a, b) => a - b);
  const [usual, norm] = [norms[norms.length >> 1], window(normOf("generator"))];
  const seen = `the discriminator is right about ${short(100 * accuracy)} % of the pictures`;
  if (usual !== undefined && norm <= VANISHED * usual)
    return `${seen} and the generator's gradient has vanished (norm ${short(norm)}, was ${short(usual)}); ${cure}`;
  if (Math.abs(loss) >= NOTHING) return undefined; // a critic's loss is below zero
  return `${seen} at a loss of ${short(loss)} and the samples do not change for the better: it is too strong; ${cure}`;
}
