// Cuts the small committed golden files out of the shared ones: npx tsx test/nn/cut.ts (IMAGO_SHARED names the folder).
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readSafetensors, writeSafetensors } from "../../src/tensor/safetensors.ts";

const shared = process.env.IMAGO_SHARED ?? "../shared";
const target = "test/fixtures/golden";

// The smallest case of each family; the complete file is compared by test/real/nn.real.ts.
const families =
  /^(linear|convTranspose2d.k3s1p1o0|embedding|layerNorm|spectralNorm.matrix|gelu|crossEntropy|upsample.bilinear2)\//;
const { tensors } = readSafetensors(await readFile(join(shared, "golden/layers.safetensors")));
const layers = Object.entries(tensors).filter(([name]) => families.test(name));
await writeFile(join(target, "layers.safetensors"), writeSafetensors(Object.fromEntries(layers)));
await writeFile(join(target, "optimizers.safetensors"), await readFile(join(shared, "golden/optimizers.safetensors")));
