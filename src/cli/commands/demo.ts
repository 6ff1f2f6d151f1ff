import { z } from "zod";
import { syntheticPhotograph } from "../../image/draw/synthetic.ts";
import type { Picture } from "../../image/picture.ts";
import { listModels } from "../../modelFiles/names.ts";
import type { Platform } from "../../platform/platform.ts";
import { alignedTable } from "../../report/evaluation.ts";
import { compare } from "../../tasks/upscale/compare.ts";
import { methods } from "../../tasks/upscale/upscale.ts";
import { defineCommand, jsonOption, runtimeChoice, runtimeOptions } from "../command.ts";
import { exit } from "../exit.ts";
import { printJson, statusLine } from "../io.ts";
import { provenanceOf, provenanceOptions } from "../provenance.ts";

const options = z.object({
  output: z
    .string()
    .min(1)
    .default("demo")
    .describe("folder to write to; made when missing")
    .meta({ short: "o", placeholder: "folder" }),
  width: z.int().min(96).max(4096).default(720).describe("width of the picture, in pixels"),
  height: z.int().min(96).max(4096).default(480).describe("height of the picture, in pixels"),
  seed: z.int().min(0).max(4_294_967_295).default(1).describe("another seed, another picture"),
  ...provenanceOptions,
  ...runtimeOptions,
  ...jsonOption,
});

const scales = [2, 3] as const;

/** The shipped networks for a scale. */
const modelsFor = async (platform: Platform, scale: number): Promise<readonly string[]> =>
  (await listModels(platform)).filter((name) => name.endsWith(`-x${scale}`));

export const demoCommand = defineCommand({
  name: "demo",
  summary: "Make a picture, reduce it, enlarge it by everything there is, and compare. Needs nothing but this package.",
  arguments: [],
  options,
  examples: ["imago demo", "imago demo --seed 7 -o somewhere"],
  async run(_, given, { io, platform }) {
    const { output, width, height, seed, json, runtime, threads } = given;
    const provenance = await provenanceOf("demo", given, platform);
    const status = statusLine(io);
    status.show("making a picture");
    const folder = output.replace(/(?<=.)\/+$/, "");
    await platform.files.makeFolder(folder);
    const written: string[] = [];
    const write = async (name: string, picture: Picture): Promise<void> => {
      await platform.codec.write(`${folder}/${name}`, picture, { force: true, provenance });
      written.push(`${folder}/${name}`);
    };
    const scores: { readonly scale: number; readonly method: string; readonly psnr: number; readonly ssim: number }[] =
      [];
    try {
      const original = syntheticPhotograph({ width, height, seed });
      await write("original.png", original);
      for (const scale of scales) {
        const models = [...(await modelsFor(platform, scale))];
        const compared = await compare(original, { scale, method: [...methods], model: models }, platform, {
          runtime: runtimeChoice({ runtime, threads }),
          signal: io.signal,
          onResult: ({ method }) => status.show(`×${scale}  ${method}`),
        });
        await write(`reduced-x${scale}.png`, compared.reduced);
        for (const { method, picture, psnr, ssim } of compared.results) {
          await write(`x${scale}-${method}.png`, picture);
          scores.push({ scale, method, psnr, ssim });
        }
        await write(scale === 2 ? "comparison.png" : `comparison-x${scale}.png`, compared.sheet);
      }
    } finally {
      status.clear();
    }
    if (json) printJson(io, { scores, files: written });
    else {
      const rows = scores.map(({ scale, method, psnr, ssim }) => [
        `×${scale}`,
        method,
        psnr.toFixed(2),
        ssim.toFixed(4),
      ]);
      io.out(`${alignedTable(["scale", "method", "PSNR (dB)", "SSIM"], rows)}\n`);
      io.err(`${written.length} pictures in ${folder}; look at ${folder}/comparison.png first.\n`);
    }
    return exit.done;
  },
});
