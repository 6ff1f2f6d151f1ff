// Cuts the small committed golden files out of the shared ones: npx tsx scripts/fixtures.ts (IMAGO_SHARED names the folder).
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readStored, storedBytes } from "../test/fixtures/safetensors.ts";

const shared = process.env.IMAGO_SHARED ?? "../shared";
const target = "test/fixtures/golden";

const resizes = readStored(join(shared, "golden/resize.safetensors"));
const kept = Object.entries(resizes).filter(([name]) => /^random$|random\.(11x8|28x13|5x4)$/.test(name));
await writeFile(join(target, "resize.safetensors"), storedBytes(Object.fromEntries(kept)));

const colors = readStored(join(shared, "golden/color.safetensors"));
await writeFile(join(target, "color.safetensors"), storedBytes(colors));
