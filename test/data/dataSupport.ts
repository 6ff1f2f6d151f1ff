import { createHash } from "node:crypto";
import type { PictureReader } from "../../src/data/patchSource.ts";
import { userError } from "../../src/errors.ts";
import { makePicture, type Picture } from "../../src/image/picture.ts";
import { MemoryFiles } from "../train/support.ts";

/** An IDX file of the given sides. */
export const idx = (
  shape: readonly number[],
  data: ArrayLike<number>,
  magic = 0x0800 + shape.length,
): Uint8Array<ArrayBuffer> => {
  const head = Buffer.alloc(4 + 4 * shape.length);
  head.writeUInt32BE(magic);
  shape.forEach((side, i) => void head.writeUInt32BE(side, 4 + 4 * i));
  return new Uint8Array(Buffer.concat([head, Uint8Array.from(data)]));
};

/** A picture file of the tests: width, height, channels, samples. */
export const packed = ({ width, height, channels, data }: Picture): Uint8Array =>
  Uint8Array.of(width, height >> 8, height & 255, channels, ...data);

/** A picture whose pixels are all alike. */
export const plain = (width: number, height: number, ...color: number[]): Picture =>
  makePicture(
    { width, height, channels: color.length as 1 | 3 | 4 },
    Uint8Array.from({ length: width * height * color.length }, (_, i) => color[i % color.length]!),
  );

/** Files in memory and who reads the pictures among them; folders are made as files come. */
export class MemoryData extends MemoryFiles {
  put(path: string, content: string | Uint8Array): this {
    const parts = path.split("/");
    for (let i = 1; i < parts.length; i++) this.folders.add(parts.slice(0, i).join("/"));
    this.content.set(path, new Uint8Array(Buffer.from(content)));
    return this;
  }

  readonly codec: PictureReader = {
    probe: async (path) => {
      const [width, high, low, channels] = await this.read(path);
      if (!channels) throw userError(path, "expected a picture, got something else");
      return { width: width!, height: high! * 256 + low! };
    },
    read: async (path) => {
      const { width, height } = await this.codec.probe(path);
      const bytes = await this.read(path);
      if (bytes.length !== 4 + width * height * bytes[3]!) throw userError(path, "expected a picture, got half of one");
      return makePicture({ width, height, channels: bytes[3] as 1 | 3 | 4 }, bytes.slice(4));
    },
  };

  get tools() {
    return { files: this, codec: this.codec };
  }

  /** The sum that sha256sum's lines for these files have. */
  sum(folder: string, ...names: readonly string[]): string {
    const of = (content: string | Uint8Array) => createHash("sha256").update(content).digest("hex");
    return of(names.map((name) => `${of(this.content.get(`${folder}/${name}`)!)}  ${name}\n`).join(""));
  }
}
