import { z } from "zod";
import { syntheticPhotograph } from "../../image/draw/synthetic.ts";
import type { Picture } from "../../image/picture.ts";
import type { Provenance } from "../../image/provenance.ts";
import { listModels } from "../../modelFiles/names.ts";
import type { Platform } from "../../platform/platform.ts";
import { alignedTable } from "../../report/evaluation.ts";
import { compare } from "../../tasks/upscale/compare.ts";
import { methods } from "../../tasks/upscale/upscale.ts";
import { defineCommand } from "../command.ts";
import { exit } from "../exit.ts";
import { printJson } from "../io.ts";
import { runFlags, runTask } from "../taskCommand.ts";

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
  ...runFlags,
});

const scales = [2, 3] as const;

/** The shipped networks for a scale. */
const modelsFor = async (platform: Platform, scale: number): Promise<readonly string[]> =>
  (await listModels(platform)).filter((name) => name.endsWith(`-x${scale}`));

/** One way of enlarging the picture again. */
interface Scored {
  readonly scale: number;
  readonly method: string;
  readonly psnr: number;
  readonly ssim: number;
}

function tableOf(scores: readonly Scored[]): string {
  const rows = scores.map(({ scale, method, psnr, ssim }) => [`×${scale}`, method, psnr.toFixed(2), ssim.toFixed(4)]);
  return `${alignedTable(["scale", "method", "PSNR (dB)", "SSIM"], rows)}\n`;
}

/** Writes into the demo's folder, and keeps the names. */
async function openFolder(output: string, { files, codec }: Platform) {
  const folder = output.replace(/(?<=.)\/+$/, "");
  await files.makeFolder(folder);
  const written: string[] = [];
  const write = async (name: string, picture: Picture, provenance: Provenance | undefined): Promise<void> => {
    await codec.write(`${folder}/${name}`, picture, { force: true, provenance });
    written.push(`${folder}/${name}`);
  };
  return { folder, written, write };
}

export const demoCommand = defineCommand({
  name: "demo",
  summary: "Make a picture, reduce it, enlarge it by everything there is, and compare. Needs nothing but this package.",
  arguments: [],
  options,
  isRecorded: true,
  examples: ["imago demo", "imago demo --seed 7 -o somewhere"],
  async run(_, { output, width, height, seed, json, runtime, threads }, context) {
    const { io, platform, record } = context;
    const { folder, written, write } = await openFolder(output, platform);
    const drawn = { width, height, seed };
    const original = syntheticPhotograph(drawn);
    await write("original.png", original, await record(drawn));
    const scores: Scored[] = [];
    for (const scale of scales) {
      const options = { scale, method: [...methods], model: [...(await modelsFor(platform, scale))] };
      const compared = await runTask(compare, { input: original, options, choice: { runtime, threads } }, context);
      const provenance = await record({ ...drawn, ...options });
      await write(`reduced-x${scale}.png`, compared.reduced, provenance);
      for (const { method, picture, psnr, ssim } of compared.results) {
        await write(`x${scale}-${method}.png`, picture, provenance);
        scores.push({ scale, method, psnr, ssim });
      }
      await write(scale === 2 ? "comparison.png" : `comparison-x${scale}.png`, compared.sheet, provenance);
    }
    if (json) printJson(io, { scores, files: written });
    else {
      io.out(tableOf(scores));
      io.err(`${written.length} pictures in ${folder}; look at ${folder}/comparison.png first.\n`);
    }
    return exit.done;
  },
});
