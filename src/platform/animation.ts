import { extname } from "node:path";
import sharp from "sharp";
import { userError } from "../errors.ts";
import { toDepth } from "../image/channels.ts";
import type { Picture } from "../image/picture.ts";
import { checkTarget, textOf, writeWhole } from "./atomic.ts";
import { gifWith, withProvenance } from "./carry.ts";
import type { AnimationWriting } from "./platform.ts";

const kinds = { ".webp": "webp", ".gif": "gif" } as const;

/** The kind of animation that a file's name asks for; a UserError for any other ending. */
const kindOf = (path: string): "webp" | "gif" => {
  const ending = extname(path).toLowerCase();
  if (ending in kinds) return kinds[ending as keyof typeof kinds];
  throw userError(path, `expected the name of an animation, ending in .webp or .gif, got "${ending}"`);
};

/** The milliseconds that each picture is shown. */
const delaysOf = (milliseconds: number | readonly number[], count: number): number[] => {
  const delays = typeof milliseconds === "number" ? new Array<number>(count).fill(milliseconds) : [...milliseconds];
  if (delays.length !== count)
    throw userError("milliseconds", `expected one number or ${count}, one a picture, got ${delays.length}`);
  const wrong = delays.find((delay) => !(Number.isInteger(delay) && delay >= 1 && delay <= 65_535));
  if (wrong === undefined) return delays;
  throw userError("milliseconds", `expected whole numbers from 1 to 65535, got ${wrong}`);
};

/** All pictures below each other, which is how libvips takes an animation. */
const stacked = (path: string, pictures: readonly Picture[]): Uint8Array => {
  const [first] = pictures;
  if (!first) throw userError(path, "expected at least one picture, got none");
  const parts = pictures.map((picture, i) => {
    const fits = (["width", "height", "channels"] as const).every((key) => picture[key] === first[key]);
    if (fits) return toDepth(picture, 8).data;
    const print = (one: Picture): string => `${one.width}×${one.height}×${one.channels}`;
    throw userError(
      path,
      `expected pictures of ${print(first)}, as the first, got ${print(picture)} (number ${i + 1})`,
    );
  });
  const all = new Uint8Array(parts[0]!.length * parts.length);
  for (const [i, part] of parts.entries()) all.set(part, i * part.length);
  return all;
};

/**
 * Writes pictures of one size as an animation that runs forever: .webp, lossless, or .gif, 256 colors. The file appears
 * whole or not at all, and an existing one is replaced only with `force`. Of metadata, the record of what made it is
 * written alone.
 * @throws UserError for no pictures, several sizes, or a name that no animation has
 */
export const writeAnimation = async (
  path: string,
  pictures: readonly Picture[],
  { milliseconds, force = false, provenance }: AnimationWriting,
): Promise<void> => {
  const [kind, delay] = [kindOf(path), delaysOf(milliseconds, pictures.length)];
  await checkTarget(path, force);
  const data = stacked(path, pictures);
  const { width, height, channels } = pictures[0]!;
  const raw = { width, height: height * pictures.length, channels, pageHeight: height };
  const pipeline = sharp(data, { raw, limitInputPixels: false }).toColourspace("srgb");
  const options = { delay, loop: 0 };
  const webp = (): typeof pipeline => {
    const { xmp } = provenance ? withProvenance({}, provenance, "webp") : {};
    const encoded = pipeline.webp({ ...options, lossless: true, effort: 2 });
    return xmp ? encoded.withXmp(new TextDecoder().decode(xmp)) : encoded;
  };
  const encoded = kind === "gif" ? pipeline.gif(options) : webp();
  const bytes = await encoded.toBuffer().catch((error: unknown) => {
    throw userError(path, `expected pictures that ${kind.toUpperCase()} can hold, got ${textOf(error)}`);
  });
  await writeWhole(path, provenance && kind === "gif" ? gifWith(bytes, provenance) : bytes, force);
};
