import { z } from "zod";
import { pictureFormats } from "../../tasks/platform.ts";
import { lazyRuntime } from "../../tasks/runtime.ts";
import { openUpscaler, upscaleOptions } from "../../tasks/upscale.ts";
import { listPictures } from "../../train/data/folder.ts";
import { type Context, defineCommand, jsonOption, runtimeChoice, runtimeOptions } from "../command.ts";
import { printJson, type StatusLine, statusLine } from "../io.ts";
import { type Job, planOutputs } from "../outputs.ts";
import { exit } from "../program.ts";

const options = z.object({
  ...upscaleOptions.shape,
  output: z
    .string()
    .min(1)
    .optional()
    .describe("file or folder to write to; next to the input unless given")
    .meta({ short: "o", placeholder: "path" }),
  format: z.enum(pictureFormats).optional().describe("format to write; the input's unless given"),
  quality: z.int().min(1).max(100).optional().describe("of JPEG, WebP and AVIF; 95, 90 and 80 unless given"),
  force: z.boolean().default(false).describe("replace files that are already there").meta({ short: "f" }),
  ...runtimeOptions,
  ...jsonOption,
});

interface Done {
  readonly input: string;
  readonly output: string;
  readonly width: number;
  readonly height: number;
  readonly seconds: number;
}

interface Failed {
  readonly input: string;
  readonly error: string;
}

const isUserError = (error: unknown): error is Error => error instanceof Error && error.name === "UserError";

/** The files that were asked for; names that lead nowhere are failures of their own. */
async function findInputs(
  sources: readonly string[],
  { platform }: Context,
  failed: Failed[],
): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const source of sources) {
    try {
      for (const path of await listPictures([source], platform.files)) found.add(path);
    } catch (error) {
      if (!isUserError(error) || sources.length === 1) throw error;
      failed.push({ input: source, error: error.message });
    }
  }
  return [...found];
}

export const upscaleCommand = defineCommand({
  name: "upscale",
  summary: "Enlarge pictures with a super-resolution network or a classic method.",
  arguments: [
    {
      name: "pictures",
      description: "files, folders or patterns like 'photos/*.jpg'",
      isRequired: true,
      isVariadic: true,
    },
  ],
  options,
  examples: [
    "imago upscale photo.png                            photo-x2-srcnn.png   ",
    "imago upscale photo.png --scale 3 --method lanczos -o large.png",
    "imago upscale photos/ --model srcnn-x4 -o large/   every picture of a folder",
    "imago upscale photo.jpg --model runs/mine --json",
  ],
  async run(sources, given, context) {
    const { io, platform } = context;
    const { output, format, quality, force, json, runtime: name, threads, ...task } = given;
    const status = statusLine(io);
    const failed: Failed[] = [];
    const done: Done[] = [];
    const inputs = await findInputs(sources, context, failed);
    const runtime = lazyRuntime(platform, runtimeChoice({ runtime: name, threads }));
    try {
      const upscaler = await openUpscaler(task, platform, runtime);
      const isSingle = sources.length === 1 && inputs.length === 1 && inputs[0] === sources[0];
      const label = `x${upscaler.scale}-${upscaler.name.replace(/-x\d+$/, "")}`;
      const jobs = await planOutputs(inputs, { output, format, force, label, isSingle }, platform);
      for (const [i, job] of jobs.entries()) {
        const start = performance.now();
        try {
          if (job.error) throw job.error;
          const picture = await platform.codec.read(job.input);
          const large = await upscaler.run(picture, {
            signal: io.signal,
            onProgress: (tile, tiles) => showProgress(status, job, [i, jobs.length], tile / tiles),
          });
          io.signal?.throwIfAborted();
          await platform.codec.write(job.output, large, { format, quality, force });
          const seconds = (performance.now() - start) / 1000;
          done.push({ input: job.input, output: job.output, width: large.width, height: large.height, seconds });
          status.clear();
          if (!json) io.out(`${job.output}  ${large.width}×${large.height}  ${seconds.toFixed(1)} s\n`);
        } catch (error) {
          if (!isUserError(error)) throw error;
          failed.push({ input: job.input, error: error.message });
          status.say(error.message);
        }
      }
      await upscaler.dispose();
      if (json && done.length > 0)
        printJson(io, { method: upscaler.name, scale: upscaler.scale, files: done, failures: failed });
    } finally {
      status.clear();
      await runtime.dispose();
    }
    if (failed.length === 0) return exit.done;
    return done.length > 0 ? exit.partial : exit.input;
  },
});

const showProgress = (status: StatusLine, { input }: Job, [i, count]: readonly [number, number], share: number): void =>
  status.show(`${count > 1 ? `${i + 1}/${count}  ` : ""}${input}  ${Math.floor(share * 100)} %`);
