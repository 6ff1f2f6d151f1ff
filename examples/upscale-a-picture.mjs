// @ts-check
// Enlarges one picture. node examples/upscale-a-picture.mjs [picture [result]]
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readPicture, syntheticPhotograph, upscale, writePicture } from "imago";

const folder = await mkdtemp(join(tmpdir(), "imago-example-"));
const [source = join(folder, "photo.png"), result = join(folder, "large.png")] = process.argv.slice(2);
if (process.argv.length < 3) await writePicture(source, syntheticPhotograph({ width: 240, height: 160, seed: 4 }));

// Rotation by EXIF, alpha, 16 bits and the color profile are taken care of; see docs/formats.md.
const picture = await readPicture(source);

// The shipped network for this scale where there is one, else bicubic interpolation. `model` or `method` chooses.
const large = await upscale(picture, {
  scale: 2,
  onProgress: (done, total) => process.stderr.write(`tile ${done} of ${total}\n`),
});
await writePicture(result, large);
console.log(`${source} ${picture.width}×${picture.height} → ${result} ${large.width}×${large.height}`);
