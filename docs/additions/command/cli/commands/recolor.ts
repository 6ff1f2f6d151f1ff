import { recolor } from "../../tasks/recolor/recolor.ts";
import { jsonOption, sheetOptions } from "../command.ts";
import { printJson } from "../io.ts";
import { taskCommand } from "../taskCommand.ts";

export const recolorCommand = taskCommand(recolor, {
  arguments: [{ name: "picture", description: "file of the picture", isRequired: true }],
  flags: { ...sheetOptions("recolored.png"), ...jsonOption },
  isRecorded: true,
  examples: ["imago recolor photo.jpg --colors-of painting.jpg -o painted.png"],
  plan: (_, { output, force }, { platform }) => platform.checkTarget(output, force),
  input: ([path], { platform }) => platform.codec.read(path!),
  async show(picture, { output, force, json }, { io, platform, made }) {
    await platform.codec.write(output, picture, { force, provenance: await made() });
    if (json) printJson(io, { output });
    else io.out(`${output}\n`);
  },
});
