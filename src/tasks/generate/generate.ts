import { z } from "zod";
import { option, userError } from "../../errors.ts";
import { pictureGrid } from "../../image/draw/grid.ts";
import type { Picture } from "../../image/picture.ts";
import type { LoadedModel } from "../../modelFiles/model.ts";
import { loadModelFor } from "../../modelFiles/read.ts";
import { newestRun } from "../../modelFiles/runs.ts";
import type { UseOf } from "../../nn/use.ts";
import type { Platform } from "../../platform/platform.ts";
import { toPictures } from "../../tensor/pictures.ts";
import { floats, type Tensor, tensor } from "../../tensor/tensor.ts";
import { codesOf } from "../common/codes.ts";
import { defineTask, type Progress, ticksOf } from "../common/task.ts";
import { firstRows, rowsBetween, takes } from "./generator.ts";
import { openGenerator } from "./openGenerator.ts";
import { samplers } from "./samplers/index.ts";

/** What is used when nothing was trained yet. */
const SHIPPED = "dcgan-mnist";
/** Pictures that are made unless a number is given: of a walk, or not. */
const COUNT = { walk: 10, each: 64 } as const;

/** What `generate` can be asked for. */
export const generateOptions = z.object({
  model: z
    .string()
    .min(1)
    .optional()
    .describe(
      `a shipped generator, a .safetensors file, or a run's folder; the newest in runs/ or ${SHIPPED} unless given`,
    )
    .meta({ placeholder: "model" }),
  class: z
    .array(z.string().min(1))
    .default([])
    .describe("names or numbers of classes to make; all in turn unless given")
    .meta({ placeholder: "names" }),
  count: z
    .int()
    .min(1)
    .max(100_000)
    .optional()
    .describe("pictures to make; of each class that was named; 64, or 10 of a walk"),
  truncation: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe(
      "how far styles stray from their mean, 0 to 1, for generators with styles: less is finer and less varied",
    ),
  sampler: z
    .enum(samplers.map(({ name }) => name))
    .optional()
    .describe(`for diffusion models: the way from noise to pictures; ${samplers[0].name} unless given`),
  samplerSteps: z
    .int()
    .min(1)
    .max(1000)
    .optional()
    .describe(
      `for diffusion models: ${samplers.map(({ name, steps }) => `${steps} for ${name}`).join(", ")} unless given`,
    ),
  seed: z.int().min(0).max(4_294_967_295).default(0).describe("seed of the random numbers"),
  interpolate: z
    .array(z.int().min(0))
    .length(2)
    .optional()
    .describe(`walk in ${option("count")} pictures from one picture of this seed to another`)
    .meta({ placeholder: "from,to" }),
});

export type GenerateOptions = z.input<typeof generateOptions>;
type Checked = z.output<typeof generateOptions>;

/** A made picture, and the class it was asked for. */
export interface Made {
  readonly picture: Picture;
  readonly class?: string;
}

/** Names of the classes in order; their numbers where the model's card has no names. */
const classNames = ({ usage, card }: LoadedModel<UseOf<"generate">>): readonly string[] => {
  const named = card.classes ? (JSON.parse(card.classes) as readonly string[]) : [];
  return Array.from({ length: usage.classes }, (_, k) => named[k] ?? String(k));
};

/** The numbers of the classes that were asked for. */
function chosenClasses(wanted: readonly string[], names: readonly string[], model: string): readonly number[] {
  if (wanted.length === 0) return names.map((_, k) => k);
  if (names.length === 0)
    throw userError(option("class"), `expected none, since ${model} has no classes, got ${wanted[0]}`);
  return wanted.map((name) => {
    const found = names.indexOf(name);
    const number = found >= 0 ? found : Number(name);
    if (Number.isInteger(number) && number >= 0 && number < names.length) return number;
    throw userError(option("class"), `expected one of ${names.slice(0, 20).join(", ")}, got ${name}`);
  });
}

/** Spherical interpolation of two codes: White 2016, https://arxiv.org/abs/1609.04468. */
function walk(codes: Tensor, [from, to]: readonly [number, number], steps: number): Tensor {
  const latent = codes.shape[1]!;
  const row = (index: number) => floats(codes).subarray(index * latent, (index + 1) * latent);
  const [a, b] = [row(from), row(to)];
  const norm = (v: Float32Array) => Math.hypot(...v);
  const cosine = a.reduce((sum, value, i) => sum + value * b[i]!, 0) / (norm(a) * norm(b));
  const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
  const all = new Float32Array(steps * latent);
  for (let s = 0; s < steps; s++) {
    const t = steps === 1 ? 0 : s / (steps - 1);
    const [p, q] =
      angle < 1e-6 ? [1 - t, t] : [Math.sin((1 - t) * angle), Math.sin(t * angle)].map((x) => x / Math.sin(angle));
    for (let i = 0; i < latent; i++) all[s * latent + i] = p! * a[i]! + q! * b[i]!;
  }
  return tensor(all, [steps, latent]);
}

/** The codes and labels of everything that was asked for. */
function plan(options: Checked, model: LoadedModel<UseOf<"generate">>) {
  const { seed, interpolate, class: wanted } = options;
  const count = options.count ?? (interpolate ? COUNT.walk : COUNT.each);
  const { latent } = model.usage;
  const names = classNames(model);
  const classes = chosenClasses(wanted, names, model.name);
  if (interpolate) {
    const ends = interpolate as [number, number];
    const codes = walk(codesOf(latent, seed, Math.max(...ends) + 1), ends, count);
    const still = { seed, of: Array.from({ length: count }, () => ends[0]) };
    return { codes, labels: Array.from({ length: count }, () => classes[0] ?? 0), names, noise: still };
  }
  const total = wanted.length > 0 ? count * wanted.length : count;
  const labels = Array.from({ length: total }, (_, i) =>
    wanted.length > 0 ? classes[Math.floor(i / count)]! : (classes[i % Math.max(1, classes.length)] ?? 0),
  );
  return { ...firstRows(latent, seed, total), labels, names };
}

/** Only styles can be drawn towards their mean. */
function checkTruncation(truncation: number | undefined, model: LoadedModel<UseOf<"generate">>): void {
  if (truncation === undefined || takes(model, "truncation")) return;
  throw userError(option("truncation"), `expected none, since ${model.name} has no styles, got ${truncation}`);
}

/** Only diffusion models take steps. */
function checkSampling({ sampler, samplerSteps }: Checked, { usage, name }: LoadedModel<UseOf<"generate">>): void {
  if (usage.diffusion || (sampler === undefined && samplerSteps === undefined)) return;
  const where = sampler === undefined ? "samplerSteps" : "sampler";
  throw userError(option(where), `expected none, since ${name} is no diffusion model, got ${sampler ?? samplerSteps}`);
}

/** Made pictures on one sheet: rows of ten where there are ten classes, else nearly square; small ones enlarged. */
export const madeSheet = (made: readonly Made[]): Picture => {
  const classes = new Set(made.map((one) => one.class)).size;
  const columns = classes > 1 && made.length % classes === 0 ? Math.max(classes, 4) : undefined;
  const factor = Math.max(1, Math.floor(64 / made[0]!.picture.width));
  return pictureGrid(
    made.map(({ picture }) => picture),
    { columns, factor },
  );
};

/** The model that was named, or the usual one. @throws UserError for a model that makes no pictures */
export async function openModel(named: string | undefined, platform: Platform) {
  const name = named ?? (await newestRun("generate", platform)) ?? SHIPPED;
  return { name, model: await loadModelFor("generate", name, platform) };
}

/** The news of a batch. */
export interface GenerateTick extends Progress {
  /** The model that is used, when none was named; with the first tick. */
  readonly model?: string;
}

/** Makes pictures with a generator. Picture i of a seed is the same however many are made. */
export const generate = defineTask({
  name: "generate",
  summary: "Make new pictures with a generator.",
  takes: "nothing",
  options: generateOptions,
  gives: "pictures",
  async *run(_, options, { platform, runtime, signal }): AsyncGenerator<GenerateTick, readonly Made[]> {
    const { truncation } = options;
    const { name, model } = await openModel(options.model, platform);
    checkTruncation(truncation, model);
    checkSampling(options, model);
    const { names, ...rows } = plan(options, model);
    const total = rows.labels.length;
    yield { done: 0, total, ...(options.model === undefined && { model: name }) };
    const generator = await openGenerator(model, await runtime.get(), options);
    try {
      return yield* ticksOf<GenerateTick, readonly Made[]>(signal, async (tell, signal) => {
        const made: Made[] = [];
        while (made.length < total) {
          signal.throwIfAborted();
          const part = rowsBetween({ ...rows, truncation }, made.length, made.length + generator.batch);
          const onStep = (step: number, steps: number) =>
            tell({ done: made.length, total, what: `step ${step} of ${steps}` });
          const pictures = toPictures(await generator.run(part, { signal, onStep }));
          for (const [i, picture] of pictures.entries())
            made.push({ picture, ...(names.length > 0 && { class: names[part.labels![i]!]! }) });
          tell({ done: made.length, total, what: "pictures", preview: pictures[0]! });
        }
        return made;
      });
    } finally {
      await generator.dispose();
    }
  },
});
