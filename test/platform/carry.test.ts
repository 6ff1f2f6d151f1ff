import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, inflateSync } from "node:zlib";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { crop, isSamePicture, type Picture } from "../../src/image/picture.ts";
import type { Provenance } from "../../src/image/provenance.ts";
import { resize } from "../../src/image/resize.ts";
import { writeAnimation } from "../../src/platform/animation.ts";
import { readProvenance } from "../../src/platform/carry.ts";
import { decodePicture, encodePicture, readPicture } from "../../src/platform/codec.ts";
import { pictureFormats } from "../../src/platform/platform.ts";
import { scrambled } from "../fixtures/pictures.ts";

const made: Provenance = {
  software: "imago",
  version: "9.8.7",
  task: "upscale",
  options: { scale: 2, model: 'straße & "søn" <b>', class: ["7", "→"], flag: true },
  models: [{ name: "srcnn-x2", sha256: "0123456789abcdef".repeat(4) }],
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "imago-provenance-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Chunk {
  readonly type: string;
  readonly content: Buffer;
}

/** A PNG's chunks, cut apart by hand; each sum is checked by zlib. */
function chunksOf(file: Uint8Array): readonly Chunk[] {
  const bytes = Buffer.from(file);
  const chunks: Chunk[] = [];
  for (let at = 8; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    expect(bytes.readUInt32BE(at + 8 + length)).toBe(crc32(bytes.subarray(at + 4, at + 8 + length)));
    chunks.push({ type: bytes.toString("latin1", at + 4, at + 8), content: bytes.subarray(at + 8, at + 8 + length) });
    at += 12 + length;
  }
  return chunks;
}

/** The samples as they lie in a PNG, filters and all. */
const rowsOf = (file: Uint8Array): Buffer =>
  inflateSync(Buffer.concat(chunksOf(file).flatMap(({ type, content }) => (type === "IDAT" ? [content] : []))));

/** What EXIF's first directory says under a tag of text, read by the TIFF rules. */
function exifText(exif: Buffer, wanted: number): string | undefined {
  const block = exif.subarray(exif.toString("latin1", 0, 4) === "Exif" ? 6 : 0);
  const isLittle = block.toString("latin1", 0, 2) === "II";
  const u16 = (at: number) => (isLittle ? block.readUInt16LE(at) : block.readUInt16BE(at));
  const u32 = (at: number) => (isLittle ? block.readUInt32LE(at) : block.readUInt32BE(at));
  const start = u32(4);
  const tags = Array.from({ length: u16(start) }, (_, i) => start + 2 + 12 * i);
  expect(tags.map(u16)).toEqual(tags.map(u16).toSorted((a, b) => a - b));
  const at = tags.find((one) => u16(one) === wanted);
  if (at === undefined) return undefined;
  const from = u32(at + 4) > 4 ? u32(at + 8) : at + 8;
  return block.toString("utf8", from, from + u32(at + 4) - 1);
}

const xmpPacket = (inside: string): string =>
  `<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="uuid:1" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/">${inside}</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>`;

/** A photograph of a camera: date, camera, copyright, rights in XMP, a wide profile, a density. */
const photograph = async (software?: string): Promise<Picture> => {
  const { data, width, height } = scrambled({ width: 24, height: 20 }, 3);
  const bytes = await sharp(data, { raw: { width, height, channels: 3 } })
    .withMetadata({ icc: "p3", density: 240 })
    .withExifMerge({
      IFD0: { Make: "Kamera", Copyright: "(c) Somebody", ...(software && { Software: software }) },
      IFD2: { DateTimeOriginal: "2020:01:02 03:04:05" },
    })
    .withXmp(xmpPacket("<dc:rights>all of them</dc:rights>"))
    .png()
    .toBuffer();
  return decodePicture(bytes);
};

describe.each(pictureFormats)("%s", (format) => {
  test("carries the record, and what it was made of is kept", async () => {
    const picture = await photograph();
    const file = await encodePicture(picture, { format, lossless: true, provenance: made });
    expect(await readProvenance(file)).toEqual(made);
    const header = await sharp(file).metadata();
    expect(header.icc?.equals(picture.metadata!.icc!)).toBe(true);
    expect(header.xmp?.toString()).toContain("<dc:rights>all of them</dc:rights>");
    expect(header.density).toBe((await sharp(await encodePicture(picture, { format })).metadata()).density);
    if (format === "tiff") return; // holds no EXIF here
    expect(exifText(header.exif!, 0x0131)).toBe("imago 9.8.7");
    expect(exifText(header.exif!, 0x010f)).toBe("Kamera");
    expect(exifText(header.exif!, 0x8298)).toBe("(c) Somebody");
    expect(header.exif!.includes("2020:01:02 03:04:05")).toBe(true);
  });

  test("pixels are those of a file without it", async () => {
    for (const picture of [await photograph(), scrambled({ width: 9, height: 7 }, 1)]) {
      const large = resize(
        picture,
        { width: picture.width * 2, height: picture.height * 2 },
        { method: "nearest", convention: "matlab" },
      );
      const [plain, told] = await Promise.all([
        encodePicture(large, { format }),
        encodePicture(large, { format, provenance: made }),
      ]);
      const [a, b] = await Promise.all(
        [plain, told].map((bytes) => sharp(bytes, { ignoreIcc: true }).raw().toBuffer()),
      );
      expect(a!.equals(b!)).toBe(true);
      expect(isSamePicture(await decodePicture(told), await decodePicture(plain))).toBe(true);
      if (format === "png") expect(rowsOf(told).equals(rowsOf(plain))).toBe(true);
    }
  });

  test("a picture without metadata carries it too; nothing is written unless asked", async () => {
    const picture = scrambled({ width: 8, height: 8 }, format === "jpeg" ? 3 : 4);
    expect(await readProvenance(await encodePicture(picture, { format, provenance: made }))).toEqual(made);
    const plain = await encodePicture(picture, { format });
    expect(await readProvenance(plain)).toBeUndefined();
    expect(Buffer.from(plain).includes("imago")).toBe(false);
  });

  test("what is made of it does not carry the old record", async () => {
    const first = await encodePicture(await photograph(), { format, provenance: made });
    const picture = await decodePicture(first);
    const next = { ...made, task: "generate" };
    for (const other of pictureFormats) {
      const plain = await encodePicture(picture, { format: other });
      expect(await readProvenance(plain)).toBeUndefined();
      expect(Buffer.from(plain).includes("srcnn-x2")).toBe(false);
      const told = await encodePicture(picture, { format: other, provenance: next });
      expect(await readProvenance(told)).toEqual(next);
      expect(Buffer.from(told).includes('upscale"')).toBe(false);
      expect((await sharp(told).metadata()).xmp?.toString()).toContain("all of them");
    }
  });
});

describe("where it lies", () => {
  test("in a PNG: an international text chunk, plain, before the pixels; libvips reads it too", async () => {
    const file = await encodePicture(scrambled({ width: 5, height: 4 }), { format: "png", provenance: made });
    const chunks = chunksOf(file);
    const place = chunks.findIndex(({ type }) => type === "iTXt");
    expect(chunks.findIndex(({ type }) => type === "IDAT")).toBeGreaterThan(place);
    const { content } = chunks[place]!;
    expect(content.toString("latin1", 0, 11)).toBe("imago\0\0\0\0\0{");
    expect(JSON.parse(content.toString("utf8", 10))).toEqual(made);
    expect([...content].every((byte) => byte < 0x7f)).toBe(true);
    const [comment] = (await sharp(file).metadata()).comments!;
    expect(comment!.keyword).toBe("imago");
    expect(JSON.parse(comment!.text)).toEqual(made);
  });

  test("in XMP: a description of its own, with the program's name where none stands", async () => {
    const header = async (picture: Picture) =>
      (await sharp(await encodePicture(picture, { format: "jpeg", provenance: made })).metadata()).xmp!.toString();
    const plain = await header(scrambled({ width: 5, height: 4 }));
    expect(plain).toContain("<xmp:CreatorTool>imago 9.8.7</xmp:CreatorTool>");
    const picture = await photograph();
    const edited = xmpPacket("<xmp:CreatorTool>Darkroom</xmp:CreatorTool>");
    const kept = await header({ ...picture, metadata: { xmp: new TextEncoder().encode(edited) } });
    expect(kept.match(/CreatorTool>[^<]*/g)).toEqual(["CreatorTool>Darkroom", "CreatorTool>"]);
    expect(kept.match(/rdf:about="[^"]*"/g)).toEqual(['rdf:about="uuid:1"', 'rdf:about="uuid:1"']);
  });

  test("a program's name in EXIF stays", async () => {
    for (const format of ["jpeg", "png", "webp", "avif"] as const) {
      const file = await encodePicture(await photograph("Darkroom 3"), { format, provenance: made });
      expect(exifText((await sharp(file).metadata()).exif!, 0x0131)).toBe("Darkroom 3");
    }
  });

  test("XMP that another program has put into its own form is read, and no more than the record is taken out", async () => {
    const text = JSON.stringify(made).replace(/[^\x20-\x7e]|[&<>"]/g, (one) => `&#x${one.charCodeAt(0).toString(16)};`);
    const packet = xmpPacket("<dc:rights>mine</dc:rights>").replace("xmlns:dc", `xmlns:imago="imago:ns:1.0/" imago:provenance='${text}' xmlns:dc`); // biome-ignore format: one line
    const file = await sharp(Buffer.alloc(48), { raw: { width: 4, height: 4, channels: 3 } }).withXmp(packet).jpeg().toBuffer(); // biome-ignore format: one line
    expect(await readProvenance(file)).toEqual(made);
    const again = await encodePicture(await decodePicture(file), { format: "jpeg" });
    expect(await readProvenance(again)).toBeUndefined();
    expect((await sharp(again).metadata()).xmp!.toString()).toContain("<dc:rights>mine</dc:rights>");
  });

  test.each(["walk.webp", "walk.gif"])("%s, an animation", async (name) => {
    const frames = [12, 24, 36].map((width) => crop(scrambled({ width, height: 8 }), { x: 0, y: 0, width: 12, height: 8 })); // biome-ignore format: one line
    const [told, plain] = [join(folder, name), join(folder, `plain-${name}`)];
    const long = { ...made, options: { text: "x".repeat(1000) } };
    await writeAnimation(told, frames, { milliseconds: [100, 200, 300], provenance: long });
    await writeAnimation(plain, frames, { milliseconds: [100, 200, 300] });
    expect(await readProvenance(told)).toEqual(long);
    expect(await readProvenance(plain)).toBeUndefined();
    const [a, b] = await Promise.all([told, plain].map((path) => sharp(path, { animated: true }).metadata()));
    expect(a).toMatchObject({ pages: 3, delay: [100, 200, 300] });
    expect([a!.pages, a!.delay, a!.loop]).toEqual([b!.pages, b!.delay, b!.loop]);
    const raw = await Promise.all([told, plain].map((path) => sharp(path, { animated: true }).raw().toBuffer()));
    expect(raw[0]!.equals(raw[1]!)).toBe(true);
  });

  test("beside a file that cannot hold it, in a report's field, in a file of its own", async () => {
    const path = join(folder, "report.csv");
    await writeFile(path, "a,b\n");
    expect(await readProvenance(path)).toBeUndefined();
    await writeFile(`${path}.imago.json`, JSON.stringify(made));
    expect(await readProvenance(path)).toEqual(made);
    expect(await readProvenance(`${path}.imago.json`)).toEqual(made);
    expect(await readProvenance(new TextEncoder().encode(JSON.stringify({ rows: [], provenance: made })))).toEqual(
      made,
    );
    expect(await readProvenance(new TextEncoder().encode("{ no JSON"))).toBeUndefined();
  });

  test("errors name the file", async () => {
    await expect(readProvenance(join(folder, "none.png"))).rejects.toThrow(
      "none.png: expected a file, got nothing with",
    );
    const path = join(folder, "later.json");
    await writeFile(path, JSON.stringify({ ...made, options: 3 }));
    await expect(readProvenance(path)).rejects.toThrow(
      "later.json: expected a record of what made it, got one that is",
    );
  });

  test("cut files and files of chance bytes tell nothing and hang nothing", async () => {
    const files = await Promise.all(pictureFormats.map((format) => encodePicture(scrambled({ width: 12, height: 8 }), { format, provenance: made }))); // biome-ignore format: one line
    await writeAnimation(
      join(folder, "cut.gif"),
      [scrambled({ width: 12, height: 8 }), scrambled({ width: 12, height: 8 })],
      { milliseconds: 10, provenance: made },
    );
    for (const file of [...files, await readFile(join(folder, "cut.gif"))])
      for (let length = 0; length < Math.min(file.length, 1500); length += 7)
        await readProvenance(file.subarray(0, length)).catch((error: Error) => expect(error.name).toBe("UserError"));
    expect((await readPicture(join(folder, "cut.gif"))).width).toBeGreaterThan(0);
    expect((await readdir(folder)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });
});
