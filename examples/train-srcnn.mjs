// @ts-check
// Trains a small SRCNN for 30 steps, stopped once and resumed, on made-up photographs; then uses it.
// Thirty steps show that everything works, not what the network can do. node examples/train-srcnn.mjs
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resume, srcnn, syntheticPhotograph, train, upscale, writePicture } from "imago";

const folder = await mkdtemp(join(tmpdir(), "imago-example-"));
const [photos, held, run] = ["photos", "held-out", "run"].map((name) => join(folder, name));
if (!photos || !held || !run) throw new Error("no folders");
await mkdir(photos);
await mkdir(held);
for (let seed = 1; seed <= 4; seed++)
  await writePicture(join(photos, `${seed}.png`), syntheticPhotograph({ width: 160, height: 120, seed }));
const unseen = syntheticPhotograph({ width: 96, height: 96, seed: 9 });
await writePicture(join(held, "9.png"), unseen);

/** @param {import("imago").Tick} tick */
const say = ({ step, steps, losses, evaluation, interrupted, weights }) => {
  if (interrupted) console.log(`stopped after step ${step}`);
  else if (weights) console.log(`finished: ${weights}`);
  else if (evaluation)
    console.log(`step ${step} of ${steps}  loss ${losses.srcnn?.toFixed(5)}  PSNR ${evaluation.psnr?.toFixed(2)} dB`);
};

// A tick per step. Aborting the signal ends the training after the running step; what was reached is saved.
const stop = new AbortController();
const options = { data: [photos], validate: held, run, steps: 30, sample: 10, seed: 1 };
for await (const tick of train(srcnn, { ...options, form: "9-1-5", patch: 32, batch: 4, signal: stop.signal })) {
  say(tick);
  if (tick.step === 12) stop.abort();
}

// The same weights as thirty steps without a pause, bit for bit, at the same number of threads.
for await (const tick of resume(run)) say(tick);
console.log(`the run's folder holds ${(await readdir(run)).sort().join(", ")}`);

// A run's folder is a model.
const large = await upscale(unseen, { model: run });
console.log(`enlarged to ${large.width}×${large.height}`);
await rm(folder, { recursive: true });
