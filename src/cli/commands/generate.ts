import { z } from "zod";
import { userError } from "../../errors.ts";
import { generate, generateOptions, type Made, madeSheet } from "../../tasks/generate.ts";
import { mixOptions, mixStyles } from "../../tasks/mixStyles.ts";
import type { Platform } from "../../tasks/platform.ts";
import { defineCommand, jsonOption, runtimeChoice, runtimeOptions, sheetOptions } from "../command.ts";
import { exit } from "../exit.ts";
import { printJson } from "../io.ts";

const nameOf = ({ class: name }: Made, i: number): string =>
  `${String(i).padStart(5, "0")}${name === undefined ? "" : `-${name.replace(/[^\p{L}\p{N}]+/gu, "-")}`}.png`;

/** One file per picture; none is written where one is there already. */
async function writeEach(folder: string, made: readonly Made[], force: boolean, platform: Platform): Promise<string[]> {
  const paths = made.map((one, i) => `${folder.replace(/\/+$/, "")}/${nameOf(one, i)}`);
  await platform.files.makeFolder(folder);
  for (const path of paths) await platform.checkTarget(path, force);
  for (const [i, path] of paths.entries()) await platform.codec.write(path, made[i]!.picture, { force });
  return paths;
}

export const generateCommand = defineCommand({
  name: "generate",
  summary: "Make new pictures with a generator: one sheet, or separate files in a folder (-o ending in /).",
  arguments: [],
  options: z.object({
    ...generateOptions.shape,
    count: generateOptions.shape.count
      .optional()
      .describe(`${generateOptions.shape.count.description}; 64, or 10 of a walk; rows and columns of mixtures, 6`),
    mix: mixOptions.shape.mix.optional(),
    ...sheetOptions("generated.png"),
    ...runtimeOptions,
    ...jsonOption,
  }),
  examples: [
    "imago generate --model runs/dcgan --count 64 --seed 1",
    "imago generate --model runs/cgan --class 3,7 --count 8 -o digits/",
    "imago generate --model runs/dcgan --interpolate 0,1 -o walk.png",
    "imago generate --model runs/stylegan2 --truncation 0.7 --mix 3 -o mixtures.png",
  ],
  async run(_, { output, force, json, runtime, threads, mix, ...task }, { io, platform }) {
    const isFolder = /[/\\]$/.test(output);
    const choice = runtimeChoice({ runtime, threads });
    if (!isFolder) await platform.checkTarget(output, force);
    if (mix !== undefined) {
      if (isFolder) throw userError("output", `expected a file for a sheet of mixtures, got ${output}`);
      await platform.codec.write(output, await mixStyles({ ...task, mix }, platform, choice), { force });
      if (json) printJson(io, { outputs: [output] });
      else io.out(`${output}\n`);
      return exit.done;
    }
    const count = task.count ?? (task.interpolate ? 10 : undefined);
    const made = await generate({ ...task, count }, platform, choice);
    const outputs = isFolder ? await writeEach(output, made, force, platform) : [output];
    if (!isFolder) await platform.codec.write(output, madeSheet(made), { force });
    const classes = made.map((one) => one.class);
    if (json) printJson(io, { outputs, count: made.length, ...(classes[0] !== undefined && { classes }) });
    else io.out(`${isFolder ? `${outputs.length} pictures in ${output}` : output}\n`);
    return exit.done;
  },
});
