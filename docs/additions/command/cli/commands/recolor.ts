import { recolor } from "../../tasks/recolor/recolor.ts";
import { jsonOption, sheetOptions } from "../command.ts";
import { printJson } from "../io.ts";
import { taskCommand } from "../taskCommand.ts";

export const recolorCommand = taskCommand(recolor, {
  arguments: [{ name: "picture", description: "file of the picture", isRequired: true }],
  flags: { ...sheetOptions("recolored.png"), ...jsonOption },
  examples: ["imago recolor photo.jpg --like painting.jpg -o painted.png"],
  plan: (_, { output, force }, { platform }) => platform.checkTarget(output, force),
  input: ([path], { platform }) => platform.codec.read(path!),
  async show(picture, { output, force, json }, { io, platform }) {
    await platform.codec.write(output, picture, { force });
    if (json) printJson(io, { output });
    else io.out(`${output}\n`);
  },
});
