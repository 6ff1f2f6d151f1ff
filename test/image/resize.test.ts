import { describe, expect, test } from "vitest";
import { makePicture, type Picture, type Size } from "../../src/image/picture.ts";
import { planeOf } from "../../src/image/planes.ts";
import { resize, resizePlane, scaledSize } from "../../src/image/resize.ts";
import type { Convention, Method } from "../../src/image/taps.ts";
import { difference, scrambled, storedPicture } from "../fixtures/pictures.ts";
import { readStored } from "../fixtures/safetensors.ts";

const golden = readStored(new URL("../fixtures/golden/resize.safetensors", import.meta.url));
const source = storedPicture(golden.random!);
const methods: Readonly<Record<string, Method>> = { lanczos4: "lanczos", area: "box" };

const cases = Object.keys(golden).flatMap((name) => {
  const found = /^([\w-]+)\.(\w+)\.random\.(\d+)x(\d+)$/.exec(name);
  if (!found) return [];
  const [, library, method, height, width] = found;
  const size: Size = { width: Number(width), height: Number(height) };
  return [{ name, library: library!, method: methods[method!] ?? (method as Method), size }];
});

describe("byte for byte", () => {
  test.each(cases.filter(({ library }) => !library.startsWith("torch")))("$name", ({ name, library, method, size }) => {
    const result = resize(source, size, { method, convention: library as Convention });
    expect(difference(result.data, golden[name]!.data)).toEqual({ count: 0, most: 0 });
  });
});

describe("float planes equal PyTorch's", () => {
  test.each(cases.filter(({ library }) => library.startsWith("torch")))("$name", ({ name, library, method, size }) => {
    const convention = library === "torch" ? "opencv" : "pillow";
    for (const channel of [0, 1, 2]) {
      const plane = resizePlane(planeOf(source, channel), size, { method, convention });
      const theirs = golden[name]!.data.filter((_, i) => i % 3 === channel);
      expect(difference(plane.data, theirs).most).toBeLessThan(1e-3);
    }
  });
});

/** MATLAB's imresize for one gray picture, straight from the formula: no tables, no shared taps, rows first. */
const naiveMatlab = (picture: Picture, size: Size, mirror: boolean): Uint8Array => {
  const keys = (t: number) => {
    const x = Math.abs(t);
    if (x <= 1) return 1.5 * x ** 3 - 2.5 * x ** 2 + 1;
    return x < 2 ? -0.5 * x ** 3 + 2.5 * x ** 2 - 4 * x + 2 : 0;
  };
  const line = (values: number[], to: number) => {
    const factor = to / values.length;
    const widen = Math.min(1, factor);
    return Array.from({ length: to }, (_, i) => {
      const center = (i + 0.5) / factor - 0.5;
      let [sum, total] = [0, 0];
      for (let k = Math.floor(center - 2 / widen) - 1; k <= Math.ceil(center + 2 / widen) + 1; k++) {
        const inside = Math.min(values.length - 1, Math.max(0, k));
        const mirrored = k < 0 ? -1 - k : k >= values.length ? 2 * values.length - 1 - k : k;
        const weight = keys(widen * (center - k));
        sum += weight * values[mirror ? mirrored : inside]!;
        total += weight;
      }
      return Math.min(255, Math.max(0, Math.round(sum / total)));
    });
  };
  const columns = Array.from({ length: picture.width }, (_, x) =>
    line(
      Array.from({ length: picture.height }, (_, y) => picture.data[y * picture.width + x]!),
      size.height,
    ),
  );
  const rows = Array.from({ length: size.height }, (_, y) =>
    line(
      columns.map((column) => column[y]!),
      size.width,
    ),
  );
  return Uint8Array.from(rows.flat());
};

describe("MATLAB", () => {
  const gray = scrambled({ width: 24, height: 21 }, 1);
  test.each([
    { width: 8, height: 7 },
    { width: 48, height: 42 },
    { width: 17, height: 10 },
  ])("equals the naive formula at $width×$height", (size) => {
    for (const edge of ["clamp", "mirror"] as const) {
      const result = resize(gray, size, { method: "bicubic", convention: "matlab", edge });
      expect(difference(result.data, naiveMatlab(gray, size, edge === "mirror")).count).toBe(0);
    }
  });

  test("the edges differ only near the border", () => {
    const size = { width: 12, height: 11 };
    const [a, b] = (["clamp", "mirror"] as const).map(
      (edge) => resize(gray, size, { method: "bicubic", convention: "matlab", edge }).data,
    );
    expect(difference(a!, b!).count).toBeGreaterThan(0);
    for (let y = 3; y < 8; y++) for (let x = 3; x < 9; x++) expect(a![y * 12 + x]).toBe(b![y * 12 + x]);
  });

  test("sizes round up", () => {
    expect(scaledSize({ width: 10, height: 9 }, 1 / 4)).toEqual({ width: 3, height: 3 });
  });
});

describe("every method", () => {
  const all = (["matlab", "opencv", "pillow"] as const).flatMap((convention) =>
    (["nearest", "box", "bilinear", "bicubic", "lanczos"] as const).map((method) => ({ convention, method })),
  );
  test.each(all)("$convention $method keeps one color and the size asked for, 8 and 16 bits", (options) => {
    for (const depth of [8, 16] as const) {
      const value = depth === 8 ? 201 : 51234;
      const flat = scrambled({ width: 9, height: 14 }, 3, depth);
      flat.data.fill(value);
      const result = resize(flat, { width: 5, height: 6 }, options);
      expect([result.width, result.height, result.depth]).toEqual([5, 6, depth]);
      expect(result.data.every((sample) => Math.abs(sample - value) <= (depth === 8 ? 0 : 1))).toBe(true);
    }
  });

  test("16 bits are not passed through 8", () => {
    const fine = makePicture({ width: 4, height: 1, channels: 1, depth: 16 }, Uint16Array.of(1000, 1010, 1020, 1030));
    const result = resize(fine, { width: 2, height: 1 }, { method: "box", convention: "pillow" });
    expect([...result.data]).toEqual([1005, 1025]);
  });

  test("a size that is not whole is refused", () => {
    expect(() => resize(source, { width: 2.5, height: 3 }, { method: "bicubic", convention: "matlab" })).toThrow(
      "2.5×3",
    );
  });
});

describe("transparency", () => {
  /** A white disk on transparent black. */
  const disk = () => {
    const side = 40;
    const data = new Uint8Array(side * side * 4);
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++)
        if (Math.hypot(x - 19.5, y - 19.5) < 13) data.fill(255, (y * side + x) * 4, (y * side + x) * 4 + 4);
    return makePicture({ width: side, height: side, channels: 4 }, data);
  };
  test.each(["bilinear", "bicubic", "lanczos"] as const)("%s leaves no halo", (method) => {
    for (const convention of ["matlab", "opencv", "pillow"] as const)
      for (const side of [17, 90]) {
        const { data } = resize(disk(), { width: side, height: side }, { method, convention });
        const partly = Array.from({ length: side * side }, (_, p) => p * 4).filter((i) => data[i + 3]! > 0);
        expect(partly.some((i) => data[i + 3]! < 250)).toBe(true);
        for (const i of partly) expect([data[i], data[i + 1], data[i + 2]]).toEqual([255, 255, 255]);
      }
  });

  test("an opaque alpha channel changes nothing", () => {
    const opaque = makePicture({ width: 17, height: 23, channels: 4 });
    for (let p = 0; p < 17 * 23; p++)
      opaque.data.set([source.data[p * 3]!, source.data[p * 3 + 1]!, source.data[p * 3 + 2]!, 255], p * 4);
    const options = { method: "bicubic", convention: "opencv" } as const;
    const size = { width: 8, height: 11 };
    const colors = resize(opaque, size, options).data.filter((_, i) => i % 4 < 3);
    expect(difference(colors, resize(source, size, options).data).most).toBeLessThanOrEqual(1);
  });
});
