import { z } from "zod";
import { alignedTable } from "../../report/evaluation.ts";
import { reconstruct, reconstructOptions } from "../../tasks/reconstruct/reconstruct.ts";
import { defineCommand, jsonOption, runtimeChoice, runtimeOptions, sheetOptions } from "../command.ts";
import { exit } from "../exit.ts";
import { printJson } from "../io.ts";
import { provenanceOf, provenanceOptions } from "../provenance.ts";

export const reconstructCommand = defineCommand({
  name: "reconstruct",
  summary: "Squeeze pictures into a few numbers and rebuild them with an autoencoder: originals above, rebuilt below.",
  arguments: [{ name: "picture", description: "files to rebuild", isRequired: false, isVariadic: true }],
  options: z.object({
    ...reconstructOptions.shape,
    ...sheetOptions("reconstruct.png"),
    ...provenanceOptions,
    ...runtimeOptions,
    ...jsonOption,
  }),
  examples: [
    "imago reconstruct --model runs/autoencoder --data mnist/",
    "imago reconstruct --model runs/vae --map 15 -o map.png",
    "imago reconstruct a.png b.png --model runs/vae --walk 12 -o walk.png",
  ],
  async run(paths, given, { io, platform }) {
    const { output, force, json, runtime, threads, ...task } = given;
    await platform.checkTarget(output, force);
    const { sheet, pictures } = await reconstruct(paths, task, platform, runtimeChoice({ runtime, threads }));
    await platform.codec.write(output, sheet, {
      force,
      provenance: await provenanceOf("reconstruct", given, platform),
    });
    if (json) printJson(io, { output, pictures });
    else {
      const rows = pictures.map(({ name, mse, psnr }) => [name, mse.toFixed(5), psnr.toFixed(2)]);
      if (rows.length > 0) io.out(`${alignedTable(["picture", "MSE", "PSNR (dB)"], rows)}\n`);
      io.out(`${output}\n`);
    }
    return exit.done;
  },
});
