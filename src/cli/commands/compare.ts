import { basename, dirname, extname, join } from "node:path";
import { z } from "zod";
import { alignedTable } from "../../report/evaluation.ts";
import { compare, compareOptions } from "../../tasks/upscale/compare.ts";
import { defineCommand, jsonOption, runtimeChoice, runtimeOptions } from "../command.ts";
import { exit } from "../exit.ts";
import { printJson, statusLine } from "../io.ts";
import { provenanceOf, provenanceOptions } from "../provenance.ts";

const options = z.object({
  ...compareOptions.shape,
  output: z
    .string()
    .min(1)
    .optional()
    .describe("picture to write; next to the input unless given")
    .meta({ short: "o", placeholder: "file" }),
  force: z.boolean().default(false).describe("replace a file that is already there").meta({ short: "f" }),
  ...provenanceOptions,
  ...runtimeOptions,
  ...jsonOption,
});

export const compareCommand = defineCommand({
  name: "compare",
  summary:
    "Reduce a picture, enlarge it by several methods, and draw them next to the original with details and scores.",
  arguments: [{ name: "picture", description: "file of the original", isRequired: true }],
  options,
  examples: [
    "imago compare cat.png --scale 3 --method bilinear,bicubic --model srcnn-x3",
    "imago compare cat.png --convention opencv -o figure.png",
  ],
  async run([path], given, { io, platform }) {
    const { output, force, json, runtime, threads, ...task } = given;
    const target = output ?? join(dirname(path!), `${basename(path!, extname(path!))}-compare-x${task.scale}.png`);
    const picture = await platform.codec.read(path!);
    await platform.checkTarget(target, force);
    const status = statusLine(io);
    const { sheet, results } = await compare(picture, task, platform, {
      runtime: runtimeChoice({ runtime, threads }),
      signal: io.signal,
      onResult: ({ method }) => status.show(method),
    }).finally(status.clear);
    await platform.codec.write(target, sheet, { force, provenance: await provenanceOf("compare", given, platform) });
    const scores = results.map(({ method, psnr, ssim }) => ({
      method,
      psnr: Number.isFinite(psnr) ? psnr : null,
      ssim,
    }));
    if (json) printJson(io, { output: target, scale: task.scale, results: scores });
    else {
      const rows = results.map(({ method, psnr, ssim }) => [method, psnr.toFixed(2), ssim.toFixed(4)]);
      io.out(`${alignedTable(["method", "PSNR (dB)", "SSIM"], rows)}\n${target}\n`);
    }
    return exit.done;
  },
});
