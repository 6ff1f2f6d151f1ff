import { describe, expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import { fromHalf, toHalf } from "../../src/tensor/half.ts";
import {
  assertFinite,
  loadSafetensors,
  readHead,
  readMetadata,
  readSafetensors,
  writeSafetensors,
} from "../../src/tensor/safetensors.ts";
import { floats, indices, type Tensor, tensor } from "../../src/tensor/tensor.ts";

/** A file put together by hand. */
const file = (header: string | Uint8Array, body: Uint8Array | number = 0, length?: bigint): Uint8Array => {
  const text = Buffer.from(header);
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(length ?? BigInt(text.length));
  return Buffer.concat([size, text, typeof body === "number" ? Buffer.alloc(body) : body]);
};

const one = (dtype: string, shape: readonly number[], body: Uint8Array): Tensor => {
  const header = JSON.stringify({ x: { dtype, shape, data_offsets: [0, body.length] } });
  return readSafetensors(file(header, body)).tensors.x!;
};

const bytesOf = (
  ...values: readonly (readonly [write: "DoubleLE" | "UInt16LE" | "Int32LE", value: number])[]
): Uint8Array => {
  const parts = values.map(([write, value]) => {
    const part = Buffer.alloc({ DoubleLE: 8, UInt16LE: 2, Int32LE: 4 }[write]);
    part[`write${write}`](value);
    return part;
  });
  return Buffer.concat(parts);
};

const bool = (values: readonly number[]): Tensor => ({
  dtype: "bool",
  shape: [values.length],
  data: Uint8Array.from(values),
});

describe("writing", () => {
  test("gives the bytes of the format's definition", () => {
    const bytes = writeSafetensors(
      { b: tensor([1, -2], [2]), a: tensor([0.5], []), flag: bool([1, 0, 1]), n: indices([-1], [1]) },
      { z: "1", a: 'q"' },
    );
    const header =
      '{"__metadata__":{"a":"q\\"","z":"1"},"n":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},' +
      '"a":{"dtype":"F32","shape":[],"data_offsets":[8,12]},"b":{"dtype":"F32","shape":[2],"data_offsets":[12,20]},' +
      '"flag":{"dtype":"BOOL","shape":[3],"data_offsets":[20,23]}}';
    const padded = header.padEnd(Math.ceil(header.length / 8) * 8);
    const body = Buffer.from("ffffffffffffffff" + "0000003f" + "0000803f000000c0" + "010001", "hex");
    expect(Buffer.from(bytes).toString("latin1")).toBe(Buffer.from(file(padded, body)).toString("latin1"));
  });

  test("does not depend on the order of names", () => {
    const [x, y] = [tensor([1], [1]), tensor([2, 3], [2])];
    expect(writeSafetensors({ x, y }, { a: "1", b: "2" })).toEqual(writeSafetensors({ y, x }, { b: "2", a: "1" }));
  });

  test("writes what a view shows, not the buffer behind it", () => {
    const view = { dtype: "float32", shape: [1], data: new Float32Array([1, 2, 3]).subarray(1, 2) } as const;
    expect(readSafetensors(writeSafetensors({ view })).tensors.view!.data).toEqual(new Float32Array([2]));
  });

  test("refuses a tensor whose numbers do not fill its shape", () => {
    expect(() => writeSafetensors({ x: { ...tensor([1], [1]), shape: [2] } })).toThrow(/x: expected 2 numbers, got 1/);
  });
});

describe("reading", () => {
  test("gives back what was written, at any place in a buffer", () => {
    const tensors = {
      "a/b": tensor([1, Number.NaN, -0, Infinity], [2, 2]),
      名: indices([2 ** 53, -3], [2, 1]),
      none: tensor([], [0, 4]),
      flag: bool([0, 1]),
      7: tensor([7], []),
    };
    const bytes = writeSafetensors(tensors, { step: "12" });
    const shifted = new Uint8Array(bytes.length + 3).subarray(3);
    shifted.set(bytes);
    expect(readSafetensors(shifted)).toEqual({ tensors, metadata: { step: "12" } });
  });

  test("float16: known bit patterns", () => {
    const patterns: readonly [number, number][] = [
      [0x3c00, 1],
      [0xc000, -2],
      [0x0001, 2 ** -24],
      [0x03ff, 6.097555160522461e-5],
      [0x0400, 2 ** -14],
      [0x3555, 0.333251953125],
      [0x7bff, 65504],
      [0x7c00, Infinity],
      [0xfc00, -Infinity],
      [0x8000, -0],
      [0x7e00, Number.NaN],
    ];
    const body = bytesOf(...patterns.map(([bits]) => ["UInt16LE", bits] as const));
    expect(Array.from(floats(one("F16", [11], body)))).toEqual(patterns.map(([, value]) => value));
  });

  test("bfloat16: known bit patterns", () => {
    const body = bytesOf(["UInt16LE", 0x3f80], ["UInt16LE", 0xc0a0], ["UInt16LE", 0x7f80], ["UInt16LE", 0x4049]);
    expect(Array.from(floats(one("BF16", [4], body)))).toEqual([1, -5, Infinity, 3.140625]);
  });

  test("float64, int32, uint8 and bool are converted", () => {
    expect(one("F64", [2], bytesOf(["DoubleLE", 0.1], ["DoubleLE", -4]))).toEqual(tensor([0.1, -4], [2]));
    expect(one("I32", [1, 2], bytesOf(["Int32LE", -7], ["Int32LE", 2 ** 31 - 1]))).toEqual(
      indices([-7, 2 ** 31 - 1], [1, 2]),
    );
    expect(one("U8", [2], Uint8Array.of(0, 255))).toEqual(indices([0, 255], [2]));
    expect(one("BOOL", [3], Uint8Array.of(0, 1, 9)).data).toEqual(Uint8Array.of(0, 1, 1));
  });
});

describe("hostile files are refused with the file's name", () => {
  const entry = (fields: object): string =>
    JSON.stringify({ x: { dtype: "F32", shape: [1], data_offsets: [0, 4], ...fields } });
  const two = (a: readonly [number, number], b: readonly [number, number]): string =>
    JSON.stringify({
      x: { dtype: "F32", shape: [(a[1] - a[0]) / 4], data_offsets: a },
      y: { dtype: "F32", shape: [(b[1] - b[0]) / 4], data_offsets: b },
    });
  const plain = '"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}';
  test.each<readonly [string, Uint8Array, RegExp]>([
    ["empty", new Uint8Array(), /at least 8 bytes, got 0/],
    ["cut short in the header", file("{}", 0, 3n), /at most the 2 bytes/],
    ["header beyond all numbers", file("{}", 0, 2n ** 64n - 1n), /header of at most/],
    ["no JSON", file("{x"), /JSON object/],
    ["JSON, but no object", file("[1]"), /JSON object/],
    ["null", file("null"), /JSON object/],
    ["no UTF-8", file(Uint8Array.of(0x7b, 0xff, 0x7d)), /JSON object/],
    ["nesting without end", file("[".repeat(1_000_000)), /JSON object/],
    ["a name twice", file(`{${plain},${plain}}`, 4), /"x" twice/],
    ["a name twice, spelled apart", file(`{${plain},${plain.replace("x", "\\u0078")}}`, 4), /twice/],
    ["a field twice", file('{"x":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}}', 4), /"shape" twice/],
    ["metadata of numbers", file('{"__metadata__":{"a":1}}'), /__metadata__/],
    ["an entry that is none", file('{"x":7}'), /x: expected a tensor's dtype/],
    ["unknown dtype", file(entry({ dtype: "F8_E4M3" }), 4), /dtype of .*got "F8_E4M3"/],
    ["dtype of the prototype", file(entry({ dtype: "constructor" }), 4), /dtype of/],
    ["negative side", file(entry({ shape: [-1] }), 4), /shape of whole numbers/],
    ["fractional side", file(entry({ shape: [0.5] }), 4), /shape of whole numbers/],
    ["sides beyond all numbers", file(entry({ shape: [2 ** 40, 2 ** 40] }), 4), /expected .* bytes/],
    [
      "sides that multiply to zero in 64 bits",
      file(entry({ shape: [2 ** 32, 2 ** 32], data_offsets: [0, 0] })),
      /bytes/,
    ],
    ["too few bytes for the shape", file(entry({ shape: [2] }), 4), /expected 8 bytes/],
    ["one offset", file(entry({ data_offsets: [0] }), 4), /two data_offsets/],
    ["offsets backwards", file(entry({ data_offsets: [4, 0] }), 4), /got data_offsets 4 to 0/],
    ["beyond the end", file(entry({}), 3), /expected 4 bytes of numbers, got 3/],
    ["bytes left over", file(entry({}), 5), /expected 4 bytes of numbers, got 5/],
    ["overlap", file(two([0, 8], [4, 12]), 12), /y: expected its bytes to start at 8, got 4/],
    ["hole", file(two([0, 4], [8, 12]), 12), /y: expected its bytes to start at 4, got 8/],
  ])("%s", (_, bytes, message) => {
    const read = () => readSafetensors(bytes, "models/a.safetensors");
    expect(read).toThrow(UserError);
    expect(read).toThrow(/^models\/a\.safetensors: /);
    expect(read).toThrow(message);
  });

  test("a tensor named __proto__ is a tensor like others", () => {
    const header = '{"__proto__":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}';
    const { tensors } = readSafetensors(file(header, 4));
    expect(Object.keys(tensors)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(tensors)).toBe(Object.prototype);
  });
});

test("numbers that are not finite are found", () => {
  assertFinite({ a: tensor([1, -2], [2]), n: indices([1], [1]) }, "here");
  expect(() => assertFinite({ a: tensor([1], [1]), b: tensor([0, Number.NaN], [2]) }, "here", "Stop.")).toThrow(
    "here: expected finite numbers, got NaN in b at position 1. Stop.",
  );
  expect(() => assertFinite({ a: tensor([-Infinity], [1]) }, "here")).toThrow(/-Infinity in a/);
});

describe("float16", () => {
  test("every float16 comes back as it was", () => {
    for (let bits = 0; bits < 65_536; bits++) {
      const value = fromHalf(bits);
      if (!Number.isNaN(value)) expect(toHalf(value)).toBe(bits);
    }
  });

  test("numbers between go to the nearest, and of two equally near to the even one", () => {
    for (let bits = 1; bits < 0x7bff; bits += 7) {
      const [low, high] = [fromHalf(bits), fromHalf(bits + 1)];
      const middle = (low + high) / 2;
      expect([toHalf(middle - (high - low) / 8), toHalf(middle + (high - low) / 8)]).toEqual([bits, bits + 1]);
      expect(toHalf(-middle)).toBe(0x8000 | (bits % 2 === 0 ? bits : bits + 1));
    }
    expect([65_519, 65_520, 1e9].map(toHalf)).toEqual([0x7bff, 0x7c00, 0x7c00]);
    expect(Number.isNaN(fromHalf(toHalf(Number.NaN)))).toBe(true);
  });

  test("a file of halves is read as float32", () => {
    const file = writeSafetensors({ a: tensor([0.1, -3, 1e-7], [3]), n: indices([1, 2], [2]) }, {}, { half: true });
    const { a, n } = readSafetensors(file).tensors;
    expect([...a!.data]).toEqual([0.0999755859375, -3, 1.1920928955078125e-7]);
    expect(n!.data).toEqual(BigInt64Array.of(1n, 2n));
  });
});

describe("reading in ranges", () => {
  const rangesOf = (bytes: Uint8Array) => async (begin: number, end: number) =>
    Uint8Array.from(bytes).slice(begin, end);

  test("gives what reading the whole gives, no more of the file than a tensor at a time", async () => {
    const bytes = writeSafetensors({ a: tensor([1, 2], [2]), n: indices([3], [1]), flag: bool([1]) }, { key: "text" });
    const ranges: [number, number][] = [];
    const read = async (begin: number, end: number) => {
      ranges.push([begin, end]);
      return rangesOf(bytes)(begin, end);
    };
    expect(await loadSafetensors(read, bytes.length, "")).toEqual(readSafetensors(bytes));
    const size = bytes.length - 8 - 8 - 1; // the head, before 8 bytes of a, 8 of n, 1 of flag
    expect(ranges).toEqual([[0, 4096], [size, size + 8], [size + 8, size + 16], [size + 16, size + 17]]); // biome-ignore format: one line
  });

  test("a head of any length is found", async () => {
    const bytes = writeSafetensors({ a: tensor([1, 2], [2]) }, { key: "text".repeat(3000) });
    expect(await loadSafetensors(rangesOf(bytes), bytes.length, "")).toEqual(readSafetensors(bytes));
    expect(readMetadata(await readHead(rangesOf(bytes)))).toEqual({ key: "text".repeat(3000) });
  });

  test.each([0, 5, 20, 100, -1])("refuses a file cut off at %i as reading the whole does", async (end) => {
    const bytes = writeSafetensors({ a: tensor([1, 2], [2]) }, { key: "text" }).slice(0, end);
    const message = (() => {
      try {
        return String(readSafetensors(bytes, "x"));
      } catch (error) {
        return (error as Error).message;
      }
    })();
    await expect(loadSafetensors(rangesOf(bytes), bytes.length, "x")).rejects.toThrow(message);
  });
});
