import { basename, dirname, extname, join } from "node:path";
import { translate } from "../../tasks/translate/translate.ts";
import { sheetOptions } from "../command.ts";
import { printJson } from "../io.ts";
import { runFlags, taskCommand } from "../taskCommand.ts";

const { output, force } = sheetOptions("");

export const translateCommand = taskCommand(translate, {
  arguments: [{ name: "picture", description: "file of the picture", isRequired: true }],
  flags: {
    output: output
      .unwrap()
      .optional()
      .describe("picture to write; next to the input unless given")
      .meta({ short: "o", placeholder: "file" }),
    force,
    ...runFlags,
  },
  examples: ["imago translate edges.png --model runs/pix2pix", "imago translate map.png --side 512 -o photo.png"],
  async plan([path], { output, force }, { platform }) {
    const target = output ?? join(dirname(path!), `${basename(path!, extname(path!))}-translated.png`);
    await platform.checkTarget(target, force);
    return target;
  },
  input: ([path], { platform }) => platform.codec.read(path!),
  onTick: ({ model }, { io }) => void (model !== undefined && io.err(`Using ${model}.\n`)),
  async show(picture, { force, json }, { io, platform, plan: target }) {
    await platform.codec.write(target, picture, { force });
    const { width, height } = picture;
    if (json) return printJson(io, { output: target, width, height });
    io.out(`${target}  ${width}×${height}\n`);
  },
});
