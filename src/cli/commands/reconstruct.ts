import { alignedTable } from "../../report/evaluation.ts";
import { reconstruct } from "../../tasks/reconstruct/reconstruct.ts";
import { sheetOptions } from "../command.ts";
import { printJson } from "../io.ts";
import { runFlags, taskCommand } from "../taskCommand.ts";

export const reconstructCommand = taskCommand(reconstruct, {
  arguments: [{ name: "picture", description: "files to rebuild", isRequired: false, isVariadic: true }],
  flags: { ...sheetOptions("reconstruct.png"), ...runFlags },
  isRecorded: true,
  examples: [
    "imago reconstruct --model runs/autoencoder --data mnist/",
    "imago reconstruct --model runs/vae --map 15 -o map.png",
    "imago reconstruct a.png b.png --model runs/vae --walk 12 -o walk.png",
  ],
  plan: (_, { output, force }, { platform }) => platform.checkTarget(output, force),
  async input(paths, { platform }) {
    const pictures = [];
    for (const name of paths) pictures.push({ name, picture: await platform.codec.read(name) });
    return pictures;
  },
  async show({ sheet, pictures }, { output, force, json }, { io, platform, made }) {
    await platform.codec.write(output, sheet, { force, provenance: await made() });
    if (json) return printJson(io, { output, pictures });
    const rows = pictures.map(({ name, mse, psnr }) => [name, mse.toFixed(5), psnr.toFixed(2)]);
    if (rows.length > 0) io.out(`${alignedTable(["picture", "MSE", "PSNR (dB)"], rows)}\n`);
    io.out(`${output}\n`);
  },
});
