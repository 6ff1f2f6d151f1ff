import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { makePicture } from "../../src/image/picture.ts";
import { encodePicture, writePicture } from "../../src/platform/codec.ts";
import { readSafetensors, writeSafetensors } from "../../src/tensor/safetensors.ts";
import { tensor } from "../../src/tensor/tensor.ts";
import { photograph, tinyBytes } from "../tasks/support.ts";

/** A PNG whose header claims a size that is not there. */
function claimedPng(width: number, height: number): Uint8Array {
  const chunk = (type: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
  return Buffer.concat([
    signature,
    chunk("IHDR", header),
    chunk("IDAT", Buffer.alloc(8)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** A model's file with its tensors or texts changed. */
function spoiled(change: (file: ReturnType<typeof readSafetensors>) => void): Uint8Array {
  const file = readSafetensors(tinyBytes());
  change(file);
  return writeSafetensors(file.tensors, file.metadata);
}

/** Fills a folder with pictures, models and runs that are wrong in one way each, and a few that are right. */
export async function makeBadFiles(root: string): Promise<void> {
  const at = (name: string): string => join(root, name);
  for (const folder of ["none", "small", "models", "good", "run", "locked", "broken", "emptyRun"])
    await mkdir(at(folder));
  const good = photograph(64, 48);
  const [png, jpeg] = [await encodePicture(good, { format: "png" }), await encodePicture(good, { format: "jpeg" })];
  const lying = tinyBytes().slice();
  new DataView(lying.buffer).setBigUint64(0, 2n ** 60n, true);
  const files: Readonly<Record<string, Uint8Array | string>> = {
    "good.png": png,
    "good/a.png": png,
    "empty.png": "",
    "text.png": "This is no picture.",
    "cut.png": png.subarray(0, Math.floor(png.length / 2)),
    "cut.jpg": jpeg.subarray(0, Math.floor(jpeg.length / 2)),
    "broken/cut.jpg": jpeg.subarray(0, Math.floor(jpeg.length / 2)),
    "claims.png": claimedPng(60000, 60000),
    "models/tiny-x2.safetensors": tinyBytes(),
    "model.safetensors": tinyBytes(),
    "nan.safetensors": spoiled(({ tensors }) => {
      (tensors["map.bias"]!.data as Float32Array)[1] = Number.NaN;
    }),
    "other.safetensors": writeSafetensors({ "layer1.0.weight": tensor([1, 2], [2]) }),
    "unknown.safetensors": spoiled(({ metadata }) => {
      metadata.model = "rdn";
    }),
    "future.safetensors": spoiled(({ metadata }) => {
      metadata.version = "9";
    }),
    "misshapen.safetensors": spoiled(({ tensors }) => {
      tensors["map.bias"] = tensor([1, 2, 3], [3]);
    }),
    "extra.safetensors": spoiled(({ tensors }) => {
      tensors["more.bias"] = tensor([1], [1]);
    }),
    "options.safetensors": spoiled(({ metadata }) => {
      metadata.options = '{"channels":7}';
    }),
    "usage.safetensors": spoiled(({ metadata }) => {
      metadata.usage = "no JSON";
    }),
    "lying.safetensors": lying,
    "short.safetensors": tinyBytes().subarray(0, 200),
    "checkpoint.safetensors": writeSafetensors({ a: tensor([1], [1]) }, { format: "imago checkpoint 1", step: "1" }),
    "foreign.safetensors": writeSafetensors(
      Object.fromEntries(
        [
          ["conv1", [4, 1, 3, 3]],
          ["conv2", [4, 4, 1, 1]],
          ["conv3", [1, 4, 3, 3]],
        ].flatMap(([name, shape]) => [
          [`${name}.weight`, tensor(new Float32Array((shape as number[]).reduce((a, b) => a * b)), shape as number[])],
          [`${name}.bias`, tensor(new Float32Array((shape as number[])[0]!), [(shape as number[])[0]!])],
        ]),
      ),
    ),
    "no.onnx": "This is no network.",
    "run/options.json": "{}",
    "emptyRun/other.txt": "x",
    "locked/a.png": png,
    file: "x",
  };
  for (const [name, content] of Object.entries(files)) await writeFile(at(name), content);
  await writePicture(at("small/tiny.png"), photograph(20, 20));
  await writePicture(at("large.png"), makePicture({ width: 700, height: 700, channels: 1 }));
  await writePicture(at("clear.png"), makePicture({ width: 8, height: 8, channels: 4 }));
  await chmod(at("locked"), 0o000);
}
