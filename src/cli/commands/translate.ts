import { basename, dirname, extname, join } from "node:path";
import { z } from "zod";
import { type TranslateTick, translate } from "../../tasks/translate/translate.ts";
import { defineCommand, sheetOptions } from "../command.ts";
import { exit } from "../exit.ts";
import { printJson } from "../io.ts";
import { runFlags, runTask } from "../taskCommand.ts";

const { output, force } = sheetOptions("");

export const translateCommand = defineCommand({
  name: "translate",
  summary: translate.summary,
  arguments: [{ name: "picture", description: "file of the picture", isRequired: true }],
  options: z.object({
    ...translate.options.shape,
    output: output
      .unwrap()
      .optional()
      .describe("picture to write; next to the input unless given")
      .meta({ short: "o", placeholder: "file" }),
    force,
    ...runFlags,
  }),
  isRecorded: true,
  examples: ["imago translate edges.png --model runs/pix2pix", "imago translate map.png --side 512 -o photo.png"],
  async run([path], { output, force, json, runtime, threads, ...options }, context) {
    const { io, platform } = context;
    const target = output ?? join(dirname(path!), `${basename(path!, extname(path!))}-translated.png`);
    await platform.checkTarget(target, force);
    let { model } = options;
    const tellModel = (tick: TranslateTick): void => {
      if (tick.model === undefined) return;
      model = tick.model;
      io.err(`model: ${model}\n`);
    };
    const asked = { input: await platform.codec.read(path!), options, choice: { runtime, threads } };
    const picture = await runTask(translate, asked, context, tellModel);
    await platform.codec.write(target, picture, { force, provenance: await context.record({ ...options, model }) });
    const { width, height } = picture;
    if (json) printJson(io, { output: target, width, height });
    else io.out(`${target}  ${width}×${height}\n`);
    return exit.done;
  },
});
