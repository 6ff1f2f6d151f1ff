// Cuts the small committed golden files out of the shared ones: npx tsx scripts/fixtures.ts (IMAGO_SHARED names the folder).
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readSafetensors, writeSafetensors } from "../src/tensor/safetensors.ts";
import { readStored, storedBytes } from "../test/fixtures/safetensors.ts";

const shared = process.env.IMAGO_SHARED ?? "../shared";
const target = "test/fixtures/golden";

const resizes = readStored(join(shared, "golden/resize.safetensors"));
const kept = Object.entries(resizes).filter(([name]) => /^random$|random\.(11x8|28x13|5x4)$/.test(name));
await writeFile(join(target, "resize.safetensors"), storedBytes(Object.fromEntries(kept)));

const colors = readStored(join(shared, "golden/color.safetensors"));
await writeFile(join(target, "color.safetensors"), storedBytes(colors));

// The smallest case of each family; the complete file is compared by test/real/nn.real.ts.
const families =
  /^(linear|convTranspose2d.k3s1p1o0|embedding|layerNorm|spectralNorm.matrix|gelu|crossEntropy|upsample.bilinear2)\//;
const { tensors } = readSafetensors(await readFile(join(shared, "golden/layers.safetensors")));
const layers = Object.entries(tensors).filter(([name]) => families.test(name));
await writeFile(join(target, "layers.safetensors"), writeSafetensors(Object.fromEntries(layers)));
await writeFile(join(target, "optimizers.safetensors"), await readFile(join(shared, "golden/optimizers.safetensors")));
