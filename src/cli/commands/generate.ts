import { z } from "zod";
import { option, userError } from "../../errors.ts";
import type { Provenance } from "../../image/provenance.ts";
import type { Platform } from "../../platform/platform.ts";
import { type GenerateTick, generate, type Made, madeSheet } from "../../tasks/generate/generate.ts";
import { mixStyles } from "../../tasks/generate/mixStyles.ts";
import { defineCommand, sheetOptions } from "../command.ts";
import { exit } from "../exit.ts";
import { printJson } from "../io.ts";
import { runFlags, runTask } from "../taskCommand.ts";

interface Writing {
  readonly force: boolean;
  readonly provenance: Provenance | undefined;
  /** Whether the pictures are steps of a walk. */
  readonly isWalk: boolean;
}

const isFolder = (path: string): boolean => /[/\\]$/.test(path);
const nameOf = ({ class: name }: Made, i: number): string =>
  `${String(i).padStart(5, "0")}${name === undefined ? "" : `-${name.replace(/[^\p{L}\p{N}]+/gu, "-")}`}.png`;

/** One file per picture; none is written where one is there already. */
async function writeEach(
  folder: string,
  made: readonly Made[],
  { force, provenance }: Omit<Writing, "isWalk">,
  platform: Platform,
): Promise<string[]> {
  const paths = made.map((one, i) => `${folder.replace(/\/+$/, "")}/${nameOf(one, i)}`);
  await platform.files.makeFolder(folder);
  for (const path of paths) await platform.checkTarget(path, force);
  for (const [i, path] of paths.entries()) await platform.codec.write(path, made[i]!.picture, { force, provenance });
  return paths;
}

const isAnimation = (path: string): boolean => /\.(webp|gif)$/i.test(path);

/** Writes what was made in the form that the output's name asks for. */
async function write(output: string, made: readonly Made[], { isWalk, ...writing }: Writing, platform: Platform) {
  if (isFolder(output)) return writeEach(output, made, writing, platform);
  if (isWalk && isAnimation(output)) {
    const frames = made.map((one) => madeSheet([one]));
    const milliseconds = frames.map((_, i) => (i === 0 || i === frames.length - 1 ? 800 : 100));
    await platform.codec.animate(output, frames, { milliseconds, ...writing });
  } else await platform.codec.write(output, madeSheet(made), writing);
  return [output];
}

export const generateCommand = defineCommand({
  name: "generate",
  summary: `Make new pictures with a generator: one sheet, separate files in a folder (-o ending in /),
or a walk as an animation (-o ending in .webp or .gif).`,
  arguments: [],
  options: z.object({
    ...generate.options.shape,
    count: generate.options.shape.count.describe(
      `${generate.options.shape.count.description}; rows and columns of mixtures, 6`,
    ),
    mix: mixStyles.options.shape.mix.optional(),
    ...sheetOptions("generated.png"),
    ...runFlags,
  }),
  isRecorded: true,
  examples: [
    "imago generate --model runs/dcgan --count 64 --seed 1",
    "imago generate --model dcgan-mnist --class 3,7 --count 8 -o digits/",
    "imago generate --model runs/dcgan --interpolate 0,1 --count 40 -o walk.webp",
    "imago generate --model runs/stylegan2 --truncation 0.7 --mix 3 -o mixtures.png",
  ],
  async run(_, { output, force, json, runtime, threads, mix, ...options }, context) {
    const { io, platform } = context;
    const asked = { input: undefined, choice: { runtime, threads } };
    let { model } = options;
    const tellModel = (tick: GenerateTick): void => {
      if (tick.model === undefined) return;
      model = tick.model;
      io.err(`model: ${model}\n`);
    };
    if (mix !== undefined && isFolder(output))
      throw userError(option("output"), `expected a file for a sheet of mixtures, got ${output}`);
    if (!isFolder(output)) await platform.checkTarget(output, force);
    if (mix !== undefined) {
      const sheet = await runTask(mixStyles, { ...asked, options: { ...options, mix } }, context, tellModel);
      await platform.codec.write(output, sheet, {
        force,
        provenance: await context.record({ ...options, model, mix }),
      });
      if (json) printJson(io, { outputs: [output] });
      else io.out(`${output}\n`);
      return exit.done;
    }
    const made = await runTask(generate, { ...asked, options }, context, tellModel);
    const provenance = await context.record({ ...options, model });
    const writing = { force, provenance, isWalk: options.interpolate !== undefined };
    const outputs = await write(output, made, writing, platform);
    const classes = made.map((one) => one.class);
    if (json) printJson(io, { outputs, count: made.length, ...(classes[0] !== undefined && { classes }) });
    else io.out(`${isFolder(output) ? `${outputs.length} pictures in ${output}` : output}\n`);
    return exit.done;
  },
});
