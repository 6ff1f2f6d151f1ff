import { createHash } from "node:crypto";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { type PatchOptions, patchSource } from "../../src/data/patchSource.ts";
import { UserError, userError } from "../../src/errors.ts";
import { luma } from "../../src/image/color.ts";
import { crop, type Picture } from "../../src/image/picture.ts";
import { resize } from "../../src/image/resize.ts";
import { flipHorizontal, rotate } from "../../src/image/turn.ts";
import { floats, type Tensor } from "../../src/tensor/tensor.ts";
import { scrambled } from "../fixtures/pictures.ts";

const pictures = new Map<string, Picture>();
const broken = new Set<string>();

const tools = {
  async read(path: string): Promise<Picture> {
    if (broken.has(path)) throw userError(path, "expected a picture, got a file cut short");
    return pictures.get(path)!;
  },
  async probe(path: string) {
    const found = pictures.get(path);
    if (!found) throw userError(path, "expected a picture, got nothing with that name");
    return found;
  },
  files: {
    size: async (path: string) => pictures.get(path)!.data.length,
    sha256: async (path: string) => createHash("sha256").update(pictures.get(path)!.data).digest("hex"),
  },
};

/** Pictures of different sizes and contents, none a multiple of 2, 3 or 4. */
beforeEach(() => {
  pictures.clear();
  broken.clear();
  for (let i = 0; i < 6; i++) {
    const picture = scrambled({ width: 31 + 6 * i, height: 29 + 4 * (i % 3) });
    pictures.set(`set/${i}.png`, { ...picture, data: picture.data.map((value, k) => (value + i * 7 * k) % 256) });
  }
});

const source = (options: Partial<PatchOptions> = {}, read = tools.read) =>
  patchSource(
    {
      pictures: [...pictures.keys()],
      scale: 2,
      patch: 12,
      batch: 5,
      color: "rgb",
      input: "lr",
      seed: 3,
      augment: true,
      memory: 1e9,
      ...options,
    },
    { ...tools, read },
  );

const planar = ({ width, height, data }: Picture): number[] =>
  [0, 1, 2].flatMap((c) => Array.from({ length: width * height }, (_, p) => Math.fround(data[p * 3 + c]! / 255)));

const lumas = (picture: Picture): number[] => Array.from(luma(picture).data, (y) => Math.fround(y / 255));

const item = (value: Tensor, index: number): number[] => {
  const length = value.data.length / value.shape[0]!;
  return Array.from(floats(value).subarray(index * length, (index + 1) * length));
};

const turns: readonly ((picture: Picture) => Picture)[] = [0, 1, 2, 3].flatMap((quarters) => [
  (picture: Picture) => rotate(picture, quarters),
  (picture: Picture) => flipHorizontal(rotate(picture, quarters)),
]);

const sized = (width: number, height: number) => ({ width, height });

/** Every pair that may come of a picture by the definition, by its target: the plain way, with the library's pictures. */
function allPairs(hr: Picture, scale: number, patch: number, input: "lr" | "enlarged", numbers = planar) {
  const [method, convention] = ["bicubic", "matlab"] as const;
  const [w, h] = [Math.floor(hr.width / scale), Math.floor(hr.height / scale)];
  const cut = crop(hr, { x: 0, y: 0, width: w * scale, height: h * scale });
  const lr = resize(cut, sized(w, h), { method, convention });
  const given = input === "lr" ? lr : resize(lr, sized(w * scale, h * scale), { method, convention });
  const pairs = new Map<string, { input: number[]; turn: number; x: number; y: number }>();
  for (let y = 0; y + patch / scale <= h; y++)
    for (let x = 0; x + patch / scale <= w; x++) {
      const target = crop(cut, { x: x * scale, y: y * scale, ...sized(patch, patch) });
      const small = patch / scale;
      const from =
        input === "lr"
          ? crop(given, { x, y, ...sized(small, small) })
          : crop(given, { x: x * scale, y: y * scale, ...sized(patch, patch) });
      turns.forEach((turn, i) => {
        pairs.set(numbers(turn(target)).join(), { input: numbers(turn(from)), turn: i, x, y });
      });
    }
  return pairs;
}

describe("a batch", () => {
  test.each([
    { scale: 2, patch: 12, input: "lr", color: "rgb" },
    { scale: 3, patch: 9, input: "enlarged", color: "rgb" },
    { scale: 4, patch: 16, input: "lr", color: "y" },
    { scale: 2, patch: 10, input: "enlarged", color: "y" },
  ] as const)("holds patches cut by the definition: ×$scale $input $color", async (options) => {
    const numbers = options.color === "y" ? lumas : planar;
    const known = new Map(
      [...pictures.values()].flatMap((hr) => [...allPairs(hr, options.scale, options.patch, options.input, numbers)]),
    );
    const batches = await source(options);
    const channels = options.color === "y" ? 1 : 3;
    const side = options.input === "lr" ? options.patch / options.scale : options.patch;
    const seen = new Set<number>();
    for (let step = 1; step <= 12; step++) {
      const { input, target } = (await batches.batch(step)) as { input: Tensor; target: Tensor };
      expect(input.shape).toEqual([5, channels, side, side]);
      expect(target.shape).toEqual([5, channels, options.patch, options.patch]);
      for (let i = 0; i < 5; i++) {
        const pair = known.get(item(target, i).join());
        expect(pair, "the target is a turned patch at a multiple of the scale").toBeDefined();
        expect(item(input, i)).toEqual(pair!.input);
        seen.add(pair!.turn);
      }
    }
    expect(seen.size).toBe(8); // 60 draws miss one of 8 turns once in 400 seeds; this seed does not
  });

  test("without augmentation nothing is turned, and all places come up", async () => {
    const hr = scrambled({ width: 17, height: 15 });
    pictures.set("set/only.png", hr);
    const batches = await source({ pictures: ["set/only.png"], augment: false, patch: 12 });
    const known = allPairs(hr, 2, 12, "lr");
    const places = new Set<string>();
    for (let step = 1; step <= 20; step++) {
      const { target } = await batches.batch(step);
      for (let i = 0; i < 5; i++) {
        const pair = known.get(item(target!, i).join())!;
        expect(pair.turn).toBe(0);
        places.add(`${pair.x},${pair.y}`);
      }
    }
    expect(places.size).toBe(6); // 3 across, 2 down
  });

  test("depends on seed and step alone, not on the order of asking", async () => {
    const [a, b] = [await source(), await source()];
    const forwards = [];
    for (let step = 1; step <= 6; step++) forwards.push(await a.batch(step));
    for (let step = 6; step >= 1; step--) expect(await b.batch(step)).toEqual(forwards[step - 1]);
    expect(await (await source({ seed: 4 })).batch(1)).not.toEqual(forwards[0]);
    expect(forwards[0]).not.toEqual(forwards[1]);
  });

  test("takes gray, 16-bit and transparent pictures as 8-bit RGB", async () => {
    const gray = scrambled(sized(20, 20), 1);
    pictures.set("gray.png", gray);
    const deep = { ...gray, depth: 16, data: Uint16Array.from(gray.data, (value) => value * 257) } as Picture;
    pictures.set("deep.png", deep);
    pictures.set("clear.png", { ...gray, channels: 4, data: new Uint8Array(20 * 20 * 4) });
    const first = await (await source({ pictures: ["gray.png"] })).batch(1);
    expect(await (await source({ pictures: ["deep.png"] })).batch(1)).toEqual(first);
    const { target } = await (await source({ pictures: ["clear.png"] })).batch(1);
    expect(new Set(floats(target!))).toEqual(new Set([1])); // over white
  });

  test("every picture takes its turn before one comes again", async () => {
    const flat = [...pictures.keys()].map((path, i) => {
      pictures.set(path, { ...scrambled(sized(20, 20)), data: new Uint8Array(1200).fill(i * 10) });
      return i * 10;
    });
    const batches = await source({ batch: 2 });
    for (const round of [0, 1, 2]) {
      const values = [];
      for (const step of [1, 2, 3]) {
        const { target } = await batches.batch(round * 3 + step);
        for (const i of [0, 1]) values.push(Math.round(item(target!, i)[0]! * 255));
      }
      expect(values.sort((a, b) => a - b)).toEqual(flat);
    }
  });
});

describe("a set larger than the memory", () => {
  /** Twelve pictures of 20×20; four patches each; memory for two windows of three. */
  const rolling = (read = tools.read) => {
    pictures.clear();
    for (let i = 0; i < 12; i++)
      pictures.set(`${i}`, { ...scrambled(sized(20, 20)), data: new Uint8Array(1200).fill(i * 10) });
    return source({ memory: 2 * 3 * 1200 * 2 + 10, input: "enlarged", batch: 3, visits: 4 }, read);
  };
  const idsOf = async (batches: Awaited<ReturnType<typeof source>>, step: number): Promise<number[]> => {
    const { target } = await batches.batch(step);
    return [0, 1, 2].map((i) => Math.round((item(target!, i)[0]! * 255) / 10));
  };

  test("is worked through in windows; each epoch sees all pictures equally often", async () => {
    const batches = await rolling();
    expect(batches.description.pool).toBe(3);
    for (const epoch of [0, 1]) {
      const counts = new Map<number, number>();
      for (let window = 0; window < 4; window++) {
        const inWindow = new Set<number>();
        for (let step = 1; step <= 4; step++)
          for (const id of await idsOf(batches, epoch * 16 + window * 4 + step)) {
            inWindow.add(id);
            counts.set(id, (counts.get(id) ?? 0) + 1);
          }
        expect(inWindow.size).toBe(3);
      }
      expect([...counts.values()]).toEqual(Array(12).fill(4));
    }
  });

  test("gives the same batch when asked for out of order", async () => {
    const batches = await rolling();
    const forwards: number[][] = [];
    for (let step = 1; step <= 40; step++) forwards.push(await idsOf(batches, step));
    const other = await rolling();
    for (const step of [40, 3, 17, 4, 5, 33]) expect(await idsOf(other, step)).toEqual(forwards[step - 1]);
  });

  test("the next window is decoded while this one serves, and no picture twice", async () => {
    const reads: string[] = [];
    const batches = await rolling((path) => {
      reads.push(path);
      return tools.read(path);
    });
    await batches.batch(1);
    await vi.waitFor(() => expect(reads).toHaveLength(6));
    for (let step = 2; step <= 4; step++) await batches.batch(step);
    expect(reads).toHaveLength(6);
    await batches.batch(5);
    await vi.waitFor(() => expect(reads).toHaveLength(9));
    expect(new Set(reads).size).toBe(9);
  });
});

describe("pictures that cannot be used", () => {
  test("are listed with the reason; the others serve", async () => {
    broken.add("set/1.png").add("set/4.png");
    pictures.set("set/small.png", scrambled(sized(40, 11)));
    const batches = await source({ pictures: [...pictures.keys(), "set/none.png"] });
    for (let step = 1; step <= 6; step++) await batches.batch(step);
    expect(batches.skipped.map(({ path }) => path).sort()).toEqual([
      "set/1.png",
      "set/4.png",
      "set/none.png",
      "set/small.png",
    ]);
    expect(batches.skipped.find(({ path }) => path === "set/small.png")!.reason).toBe(
      "set/small.png: expected at least 12×12 pixels for a patch, got 40×11.",
    );
    expect(batches.skipped.find(({ path }) => path === "set/1.png")!.reason).toMatch(/cut short/);
    expect(batches.description.count).toBe(6);
  });

  test("stand-ins too depend on seed and step alone", async () => {
    broken.add("set/1.png").add("set/2.png");
    const [a, b] = [await source(), await source()];
    const later = await b.batch(7);
    for (let step = 1; step < 7; step++) await a.batch(step);
    expect(await a.batch(7)).toEqual(later);
  });

  test("an error when all are too small", async () => {
    await expect(source({ patch: 400 })).rejects.toThrow(UserError);
    await expect(source({ patch: 400 })).rejects.toThrow(
      /expected at least one that can be used, got none of 6:\n {2}set\/0\.png: .*31×29/,
    );
  });

  test("an error when all are broken", async () => {
    for (const path of pictures.keys()) broken.add(path);
    await expect((await source()).batch(1)).rejects.toThrow(/got none of 6:\n.*cut short/);
  });

  test("faults of our own are not taken for broken pictures", async () => {
    const read = async () => {
      throw new TypeError("a bug");
    };
    const options = { pictures: ["set/0.png"], scale: 2, patch: 12, batch: 1, seed: 1, augment: false, memory: 1e9 };
    const batches = await patchSource({ ...options, color: "y", input: "lr" }, { ...tools, read });
    await expect(batches.batch(1)).rejects.toThrow(TypeError);
  });
});

test.each<[Partial<PatchOptions>, RegExp]>([
  [{ patch: 13 }, /^patch: expected a multiple of the scale 2, got 13/],
  [{ patch: 0 }, /^patch/],
  [{ batch: 0 }, /^batch/],
  [{ scale: 1.5 }, /^scale/],
  [{ pictures: [] }, /^pictures: expected at least one file/],
])("options %j are refused", async (options, message) => {
  await expect(source(options)).rejects.toThrow(message);
});

test("the description's sum is that of sha256sum, over names and contents", async () => {
  const { description } = await source();
  const lines = [...pictures].map(([path, { data }]) => {
    return `${createHash("sha256").update(data).digest("hex")}  ${path.slice(4)}\n`;
  });
  expect(description).toEqual({
    count: 6,
    bytes: [...pictures.values()].reduce((sum, { data }) => sum + data.length, 0),
    sha256: createHash("sha256").update(lines.join("")).digest("hex"),
  });
});
