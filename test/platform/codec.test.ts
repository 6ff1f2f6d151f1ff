import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import { orientationOf } from "../../src/image/exif.ts";
import { type Channels, type Depth, isSamePicture, makePicture, type Picture } from "../../src/image/picture.ts";
import { rotate } from "../../src/image/turn.ts";
import { decodePicture, encodePicture, probePicture, readPicture, writePicture } from "../../src/platform/codec.ts";
import type { PictureFormat } from "../../src/platform/platform.ts";
import { difference, scrambled } from "../fixtures/pictures.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "imago-codec-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A smooth picture, which lossy formats keep within a few steps. */
const smooth = (channels: Channels): Picture => {
  const picture = makePicture({ width: 48, height: 40, channels });
  for (let i = 0; i < picture.data.length; i++) {
    const [x, y] = [Math.floor(i / channels) % 48, Math.floor(i / channels / 48)];
    const isAlpha = channels % 2 === 0 && i % channels === channels - 1;
    picture.data[i] = isAlpha ? 255 : 30 + 2 * x + 2 * y + 10 * (i % channels);
  }
  return picture;
};

describe("round trips", () => {
  const lossless = (["png", "tiff"] as const).flatMap((format) =>
    ([8, 16] as const).flatMap((depth) => ([1, 2, 3, 4] as const).map((channels) => ({ format, depth, channels }))),
  );
  test.each(lossless)(
    "$format keeps $channels channels of $depth bits exactly",
    async ({ format, depth, channels }) => {
      const picture = scrambled({ width: 13, height: 9 }, channels, depth as Depth);
      expect(isSamePicture(await decodePicture(await encodePicture(picture, { format })), picture)).toBe(true);
    },
  );

  test.each(["webp", "avif"] as const)("%s without loss keeps color and alpha exactly", async (format) => {
    for (const channels of [3, 4] as const) {
      const picture = scrambled({ width: 33, height: 21 }, channels);
      expect(
        isSamePicture(await decodePicture(await encodePicture(picture, { format, lossless: true })), picture),
      ).toBe(true);
    }
  });

  test.each(["jpeg", "webp", "avif"] as const)("%s comes close", async (format) => {
    const picture = smooth(3);
    const back = await decodePicture(await encodePicture(picture, { format }));
    expect(difference(back.data, picture.data).most).toBeLessThan(12);
  });

  test("JPEG takes opaque alpha, refuses transparency, and quality matters", async () => {
    expect((await decodePicture(await encodePicture(smooth(4), { format: "jpeg" }))).channels).toBe(3);
    const clear = makePicture({ width: 4, height: 4, channels: 4 });
    await expect(encodePicture(clear, { format: "jpeg" }, "a.jpg")).rejects.toThrow(
      "a.jpg: JPEG cannot hold transparency",
    );
    const sizes = await Promise.all(
      [20, 95].map(async (quality) => (await encodePicture(smooth(3), { format: "jpeg", quality })).length),
    );
    expect(sizes[0]).toBeLessThan(sizes[1]!);
    await expect(encodePicture(smooth(3), { format: "jpeg", quality: 101 })).rejects.toThrow(UserError);
  });
});

describe("what files bring along", () => {
  /** A JPEG that lies on its side, with a camera's EXIF and a wide color profile. */
  const fromCamera = () => {
    const { data, width, height } = smooth(3);
    return sharp(data, { raw: { width, height, channels: 3 } })
      .withExif({ IFD0: { Make: "Imago" }, IFD2: { DateTimeOriginal: "2020:01:02 03:04:05" } })
      .withMetadata({ orientation: 6, icc: "p3" })
      .jpeg({ quality: 100, chromaSubsampling: "4:4:4" })
      .toBuffer();
  };

  test("EXIF orientation is applied", async () => {
    const bytes = await fromCamera();
    expect((await sharp(bytes).metadata()).orientation).toBe(6);
    const upright = await decodePicture(bytes);
    expect([upright.width, upright.height]).toEqual([40, 48]);
    expect(difference(upright.data, rotate(smooth(3), 1).data).most).toBeLessThan(8);
    expect(orientationOf(upright.metadata!.exif!)).toBe(1);
  });

  test.each(["jpeg", "png", "webp", "avif"] as const)("%s keeps EXIF and the color profile", async (format) => {
    const picture = await decodePicture(await fromCamera());
    const file = await encodePicture(picture, { format, lossless: true, quality: 100 });
    const header = await sharp(file).metadata();
    expect(header.orientation ?? 1).toBe(1);
    expect([header.width, header.height]).toEqual([40, 48]);
    expect(header.exif?.includes("Imago")).toBe(true);
    expect(header.exif?.includes("2020:01:02 03:04:05")).toBe(true);
    expect(header.icc?.equals(picture.metadata!.icc!)).toBe(true);
    expect(difference((await decodePicture(file)).data, picture.data).most).toBeLessThan(8);
    const bare = await sharp(await encodePicture(picture, { format, keepMetadata: false })).metadata();
    expect([bare.exif, bare.icc]).toEqual([undefined, undefined]);
  });

  test("the pixels are written in the profile's own colors", async () => {
    const picture = await decodePicture(await fromCamera());
    const red = { ...picture, data: picture.data.map((_, i) => (i % 3 === 0 ? 240 : 20)) };
    const file = await encodePicture(red, { format: "png" });
    const raw = await sharp(file, { ignoreIcc: true }).raw().toBuffer();
    expect(raw[0]).toBeLessThan(230); // sRGB's red is less than the most that P3 can show
    expect(difference((await decodePicture(file)).data, red.data).most).toBeLessThanOrEqual(2);
  });

  test("CMYK becomes sRGB, palettes RGB", async () => {
    const { data, width, height } = smooth(3);
    const image = () => sharp(data, { raw: { width, height, channels: 3 } });
    const cmyk = await image().toColourspace("cmyk").withIccProfile("cmyk").jpeg({ quality: 100 }).toBuffer();
    expect(await decodePicture(cmyk)).toMatchObject({ channels: 3, depth: 8 });
    expect((await sharp(await encodePicture(await decodePicture(cmyk), { format: "jpeg" })).metadata()).space).toBe(
      "srgb",
    );
    const indexed = await decodePicture(await image().png({ palette: true, colors: 256, dither: 0 }).toBuffer());
    expect(indexed.channels).toBe(3);
    expect(difference(indexed.data, data).most).toBeLessThan(40);
  });

  test("the first frame of an animation", async () => {
    const frames = Buffer.concat([Buffer.alloc(8 * 8 * 3, 10), Buffer.alloc(8 * 8 * 3, 250)]);
    const gif = await sharp(frames, { raw: { width: 8, height: 16, channels: 3, pageHeight: 8 } })
      .gif()
      .toBuffer();
    const picture = await decodePicture(gif);
    expect([picture.width, picture.height, picture.data[0]]).toEqual([8, 8, 10]);
  });
});

describe("BMP", () => {
  test("24 bits, rows from bottom to top, padded", async () => {
    const bmp = Buffer.alloc(54 + 16);
    bmp.write("BM");
    bmp.writeUInt32LE(54, 10);
    bmp.writeUInt32LE(40, 14);
    bmp.writeInt32LE(2, 18);
    bmp.writeInt32LE(2, 22);
    bmp.writeUInt16LE(24, 28);
    bmp.set([1, 2, 3, 4, 5, 6, 0, 0, 7, 8, 9, 10, 11, 12, 0, 0], 54);
    expect([...(await decodePicture(bmp)).data]).toEqual([9, 8, 7, 12, 11, 10, 3, 2, 1, 6, 5, 4]);
    await expect(decodePicture(bmp.subarray(0, 60), "cut.bmp")).rejects.toThrow("cut.bmp: expected 70 bytes");
  });
});

/** Writes a file with these bytes and gives its path. */
const file = async (name: string, bytes: Uint8Array | string): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
};

/** Exactly one UserError that begins with the path. */
const refuses = async (path: string, pattern: RegExp): Promise<void> => {
  const error = await readPicture(path).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(UserError);
  expect((error as Error).message.startsWith(`${path}: `)).toBe(true);
  expect((error as Error).message).toMatch(pattern);
};

describe("files that are no pictures", () => {
  test("empty, text, missing, folder, SVG", async () => {
    await refuses(await file("empty.png", ""), /empty file/);
    await refuses(await file("text.png", "This is not a picture at all."), /expected a JPEG, PNG/);
    await refuses(join(folder, "missing.png"), /nothing with that name/);
    await refuses(folder, /a folder/);
    await refuses(await file("a.svg", '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"/>'), /SVG/);
  });

  test.each(["jpeg", "png", "webp", "tiff", "avif"] as const)("a %s file that is cut off", async (format) => {
    const whole = await encodePicture(scrambled({ width: 200, height: 150 }), { format });
    for (const share of [0.3, 0.7])
      await refuses(await file(`cut.${format}`, whole.subarray(0, whole.length * share)), /expected a JPEG/);
  });

  test("a PNG that claims 60000×60000 pixels", async () => {
    const png = Buffer.from(await encodePicture(smooth(3), { format: "png" }));
    png.writeUInt32BE(60000, 16);
    png.writeUInt32BE(60000, 20);
    png.writeUInt32BE(crc32(png.subarray(12, 29)), 29);
    await refuses(await file("huge.png", png), /at most 268435456 pixels, got 60000×60000/);
    const path = await file("fair.png", await encodePicture(smooth(3), { format: "png" }));
    await expect(readPicture(path, { maxPixels: 1000 })).rejects.toThrow("at most 1000 pixels, got 48×40 = 1920");
  });
});

describe("writing", () => {
  const formats: Readonly<Record<string, PictureFormat>> = {
    "a.jpg": "jpeg",
    "a.PNG": "png",
    "a.webp": "webp",
    "a.tif": "tiff",
    "a.avif": "avif",
  };
  test.each(Object.entries(formats))("%s is %s", async (name, format) => {
    const path = join(folder, name);
    await writePicture(path, smooth(3));
    const info = await probePicture(path);
    expect(info).toEqual({ format, width: 48, height: 40, channels: 3, depth: 8 });
  });

  test("replaces nothing unless forced, and leaves no temporary files", async () => {
    const own = await mkdtemp(join(folder, "own-"));
    const path = join(own, "a.png");
    await writePicture(path, smooth(3));
    const before = await readFile(path);
    await expect(writePicture(path, smooth(1))).rejects.toThrow(`${path}: a file with that name is already there`);
    expect((await readFile(path)).equals(before)).toBe(true);
    await writePicture(path, smooth(1), { force: true });
    expect((await readPicture(path)).channels).toBe(1);
    await mkdir(join(own, "b.png"));
    await expect(writePicture(join(own, "b.png"), smooth(1), { force: true })).rejects.toThrow("got a folder's");
    await expect(writePicture(join(own, "none", "a.png"), smooth(1))).rejects.toThrow("is not there");
    await expect(writePicture(join(own, "a.xyz"), smooth(1))).rejects.toThrow('got ".xyz"');
    expect((await readdir(own)).sort()).toEqual(["a.png", "b.png"]);
  });
});
