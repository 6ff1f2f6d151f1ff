import { basename, dirname, extname, join } from "node:path";
import { alignedTable } from "../../report/evaluation.ts";
import { compare } from "../../tasks/upscale/compare.ts";
import { sheetOptions } from "../command.ts";
import { printJson } from "../io.ts";
import { runFlags, taskCommand } from "../taskCommand.ts";

const { output, force } = sheetOptions("");

export const compareCommand = taskCommand(compare, {
  arguments: [{ name: "picture", description: "file of the original", isRequired: true }],
  flags: {
    output: output.unwrap().optional().describe("picture to write; next to the input unless given").meta({ short: "o", placeholder: "file" }),
    force,
    ...runFlags,
  }, // biome-ignore format: a line each
  isRecorded: true,
  examples: [
    "imago compare cat.png --scale 3 --method bilinear,bicubic --model srcnn-x3",
    "imago compare cat.png --convention opencv -o figure.png",
  ],
  async plan([path], { output, scale, force }, { platform }) {
    const target = output ?? join(dirname(path!), `${basename(path!, extname(path!))}-compare-x${scale}.png`);
    await platform.checkTarget(target, force);
    return target;
  },
  input: ([path], { platform }) => platform.codec.read(path!),
  async show({ sheet, results }, { force, json, scale }, { io, platform, plan: target, made }) {
    await platform.codec.write(target, sheet, { force, provenance: await made() });
    const scores = results.map(({ method, psnr, ssim }) => ({
      method,
      psnr: Number.isFinite(psnr) ? psnr : null,
      ssim,
    }));
    if (json) return printJson(io, { output: target, scale, results: scores });
    const rows = results.map(({ method, psnr, ssim }) => [method, psnr.toFixed(2), ssim.toFixed(4)]);
    io.out(`${alignedTable(["method", "PSNR (dB)", "SSIM"], rows)}\n${target}\n`);
  },
});
