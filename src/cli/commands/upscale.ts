import { z } from "zod";
import { listPictures } from "../../data/folder.ts";
import { UserError, userError } from "../../errors.ts";
import { lazyRuntime } from "../../platform/lazyRuntime.ts";
import { type PictureWriting, type Platform, pictureFormats } from "../../platform/platform.ts";
import { methods, openUpscaler, type UpscaleOptions, upscale } from "../../tasks/upscale/upscale.ts";
import type { Upscaler } from "../../tasks/upscale/upscaler.ts";
import { defineCommand, jsonOption, runtimeChoice, runtimeOptions } from "../command.ts";
import { exit } from "../exit.ts";
import { flagOf } from "../flags.ts";
import { printJson, type StatusLine, statusLine } from "../io.ts";
import { type Job, planOutputs } from "../outputs.ts";

const options = z.object({
  ...upscale.options.shape,
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

/** What has come of the files so far. */
class Outcome {
  readonly done: Done[] = [];
  readonly failed: Failed[] = [];
  readonly #status: StatusLine;

  constructor(status: StatusLine) {
    this.#status = status;
  }

  /** Notes and says why a file failed; what is no UserError goes on its way. */
  fail(input: string, error: unknown): void {
    if (!(error instanceof UserError)) throw error;
    const text = error.textFor(flagOf);
    this.failed.push({ input, error: text });
    this.#status.say(text);
  }

  get code(): number {
    if (this.failed.length === 0) return exit.done;
    return this.done.length > 0 ? exit.partial : exit.input;
  }
}

/** The files that were asked for; where several are, names that lead nowhere are failures of their own. */
async function findInputs(
  sources: readonly string[],
  outcome: Outcome,
  { files }: Platform,
): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const source of sources) {
    try {
      if (!/[*?]/.test(source) && !(await files.exists(source)))
        throw userError(
          source,
          "expected a picture, a folder or a pattern, got nothing with that name",
          "Check the name.",
        );
      for (const path of await listPictures([source], files)) found.add(path);
    } catch (error) {
      if (sources.length === 1) throw error;
      outcome.fail(source, error);
    }
  }
  return [...found];
}

interface Work {
  readonly upscaler: Upscaler;
  readonly writing: PictureWriting;
  readonly platform: Platform;
  readonly signal: AbortSignal | undefined;
  /** Share of this picture that is done. */
  readonly onProgress: (share: number) => void;
}

async function enlarge(
  { input, output, error }: Job,
  { upscaler, writing, platform, signal, onProgress }: Work,
): Promise<Done> {
  if (error) throw error;
  const start = performance.now();
  const picture = await platform.codec.read(input);
  const large = await upscaler.run(picture, { signal, onProgress: (tile, tiles) => onProgress(tile / tiles) });
  signal?.throwIfAborted();
  await platform.codec.write(output, large, writing);
  return { input, output, width: large.width, height: large.height, seconds: (performance.now() - start) / 1000 };
}

/** What enlarges where nothing was named. */
const chosen = ({ method, model }: UpscaleOptions, { name }: Upscaler): UpscaleOptions => {
  if (method !== undefined || model !== undefined) return {};
  const classic = methods.find((one) => one === name);
  return classic ? { method: classic } : { model: name };
};

export const upscaleCommand = defineCommand({
  name: "upscale",
  summary: upscale.summary,
  arguments: [
    {
      name: "pictures",
      description: "files, folders or patterns like 'photos/*.jpg'",
      isRequired: true,
      isVariadic: true,
    },
  ],
  options,
  isRecorded: true,
  examples: [
    "imago upscale photo.png                            makes photo-x2-srcnn.png",
    "imago upscale photo.png --scale 3 --method lanczos -o large.png",
    "imago upscale photos/ --model srcnn-x4 -o large/   every picture of a folder",
    "imago upscale photo.jpg --model runs/mine --json",
  ],
  async run(sources, given, { io, platform, record }) {
    const { output, format, quality, force, json, runtime: name, threads, ...task } = given;
    const status = statusLine(io);
    const outcome = new Outcome(status);
    const inputs = await findInputs(sources, outcome, platform);
    const runtime = lazyRuntime(platform, runtimeChoice({ runtime: name, threads }));
    try {
      const upscaler = await openUpscaler(task, platform, runtime);
      const isSingle = sources.length === 1 && inputs.length === 1 && inputs[0] === sources[0];
      const label = `x${upscaler.scale}-${upscaler.name.replace(/-x\d+$/, "")}`;
      const jobs = await planOutputs(inputs, { output, format, force, label, isSingle }, platform);
      if (upscaler.seams === "approximate")
        status.say(`${upscaler.name} sees more than a tile: where tiles meet, pixels are approximate.`);
      const writing = { format, quality, force, provenance: await record({ ...task, ...chosen(task, upscaler) }) };
      const work = { upscaler, writing, platform, signal: io.signal };
      for (const [i, job] of jobs.entries()) {
        const place = jobs.length > 1 ? `${i + 1}/${jobs.length}  ` : "";
        const onProgress = (share: number): void => status.show(`${place}${job.input}  ${Math.floor(share * 100)} %`);
        await enlarge(job, { ...work, onProgress }).then(
          (done) => {
            outcome.done.push(done);
            status.clear();
            if (!json) io.out(`${done.output}  ${done.width}×${done.height}  ${done.seconds.toFixed(1)} s\n`);
          },
          (error: unknown) => outcome.fail(job.input, error),
        );
      }
      await upscaler.dispose();
      const { done: files, failed: failures } = outcome;
      const { name: method, scale, seams } = upscaler;
      if (json && files.length > 0) printJson(io, { method, scale, seams, files, failures });
      if (files.length > 0 && failures.length > 0)
        status.say(`${failures.length} of ${files.length + failures.length} failed.`);
    } finally {
      status.clear();
      await runtime.dispose();
    }
    return outcome.code;
  },
});
