import { normOf } from "../engine/index.ts";
import type { MetricLine } from "./metrics.ts";

/** What went wrong, by kind: what was seen, with its numbers, and what to do. */
export type Alarms = Readonly<Record<string, string>>;

/** Before this step a generator has not begun to make anything. */
const BEGUN = 200;
/** Diversity under which samples count as all alike. Healthy runs on drawn shapes reach 0.2 within 100 steps and 0.9 in the end. */
const ALIKE = 0.15;
/** The discriminator is as good as always right. */
const RIGHT = 0.99;
/** A discriminator's loss that leaves nothing to learn: 1.4 at the start; 0.03 was the least that a healthy run passed through. */
const NOTHING = 0.02;
/** Share of the generator's usual gradient under which it has vanished. */
const VANISHED = 0.01;

const cure = "lower the learning rate, add --r1 10 or use another --loss";

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value / values.length, 0);
const short = (value: number): string => String(Number(value.toPrecision(2)));

/** What metrics say about a generator that learns from a discriminator; asked after a line with its samples' diversity. */
export function generatorAlarms(lines: readonly MetricLine[]): Alarms {
  const measured = lines.flatMap(({ step, evaluation }) =>
    evaluation?.diversity === undefined ? [] : [{ step, diversity: evaluation.diversity }],
  );
  const [before, now] = [measured.at(-2), measured.at(-1)];
  if (!before || !now || now.step < BEGUN) return {};
  const collapse = collapseOf(before.diversity, now.diversity);
  const saturation = now.diversity < 1.05 * before.diversity ? saturationOf(lines, before.step) : undefined;
  return { ...(collapse && { collapse }), ...(saturation && { saturation }) };
}

/** Samples that are alike and do not become more different. */
function collapseOf(before: number, now: number): string | undefined {
  if (now >= ALIKE || now > 1.1 * before) return undefined;
  const alike = Math.round(100 * (1 - now));
  return `samples are ${alike} % alike (diversity ${short(now)} of the training pictures'): the generator has collapsed; ${cure}`;
}

/** A discriminator that is always right by a wide margin, so that neither player learns. @param since the step of the sample before */
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
  if (loss >= NOTHING) return undefined;
  return `${seen} at a loss of ${short(loss)} and the samples do not change for the better: it is too strong; ${cure}`;
}
