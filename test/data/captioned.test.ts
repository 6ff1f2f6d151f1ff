import { describe, expect, test } from "vitest";
import { byteTokens, type CaptionWanted, captioned } from "../../src/data/captioned.ts";
import { openExamples } from "../../src/data/openSet.ts";
import type { DataSource } from "../../src/data/source.ts";
import { MemoryData, packed, plain } from "./dataSupport.ts";
import { marksOf, plainOf } from "./pairSupport.ts";

const CAPTIONS = ["a", "café", "", "a longer one", "e", "f", "g"];

function set(captions: readonly string[] | undefined = CAPTIONS): MemoryData {
  const data = new MemoryData();
  for (const number of CAPTIONS.keys()) data.put(`set/${number}.png`, packed(plain(4, 4, number, 0, 0)));
  const lines = captions?.map((text, number) => `${number}.png\t${text}`).reverse(); // by name, not by line
  return lines ? data.put("set/captions.tsv", ["file\tcaption", ...lines].join("\n")) : data;
}

const wanted: CaptionWanted = { batch: 3, size: 4, channels: 3, length: 5 };
const open = (data: MemoryData, more: Partial<CaptionWanted> = {}, seed = 3): Promise<DataSource> =>
  captioned({ ...wanted, ...more }).open({ data: ["set"], seed, options: {} }, data.tools);

/** The tokens of each picture by its mark, over one epoch and more. */
async function tokensOf(source: DataSource, length = 5): Promise<Readonly<Record<number, string>>> {
  const found: Record<number, string> = {};
  for (let step = 1; step <= 5; step++) {
    const { image, caption } = await source.batch(step);
    expect(caption!.shape).toEqual([3, length]);
    for (const [n, mark] of marksOf(image!).entries()) {
      const tokens = Array.from(caption!.data.slice(n * length, (n + 1) * length), Number).join(" ");
      expect(found[mark] ?? tokens).toBe(tokens);
      found[mark] = tokens;
    }
  }
  return found;
}

test("the bytes of UTF-8 plus one", () => {
  expect(byteTokens("café €")).toEqual([0x63, 0x61, 0x66, 0xc3, 0xa9, 0x20, 0xe2, 0x82, 0xac].map((byte) => byte + 1));
  expect(byteTokens("")).toEqual([]);
});

describe("captions follow their pictures", () => {
  test("cut to the length, and filled up with 0", async () => {
    expect(await tokensOf(await open(set()))).toEqual({
      0: "98 0 0 0 0",
      1: "100 98 103 196 170", // c a f é
      2: "0 0 0 0 0",
      3: "98 33 109 112 111", // "a lon"
      4: "102 0 0 0 0",
      5: "103 0 0 0 0",
      6: "104 0 0 0 0",
    });
  });

  test("past files that cannot be read, and for pictures without one", async () => {
    const data = set(CAPTIONS.slice(0, 6)).put("set/1.png", "no");
    const source = await open(data, { length: 2 });
    expect(source.skipped.map(({ path }) => path)).toEqual(["set/1.png"]);
    const found = await tokensOf(source, 2);
    expect(found).toEqual({ 0: "98 0", 2: "0 0", 3: "98 33", 4: "102 0", 5: "103 0", 6: "0 0" });
  });

  test("by an encoder of one's own", async () => {
    const found = await tokensOf(await open(set(), { length: 2, encode: (text) => [text.length + 1] }), 2);
    expect(found).toMatchObject({ 0: "2 0", 1: "5 0", 3: "13 0" });
  });

  test("seed and step alone decide", async () => {
    const [one, again, other] = [await open(set()), await open(set()), await open(set(), {}, 4)];
    const two = await again.batch(2);
    expect([await again.batch(1), two].map(plainOf)).toEqual([await one.batch(1), await one.batch(2)].map(plainOf));
    expect([await other.batch(1), await other.batch(2)].map(plainOf)).not.toEqual(
      [await one.batch(1), two].map(plainOf),
    );
  });
});

test("sets without captions are refused", async () => {
  await expect(open(set([]).put("set/captions.tsv", "file\tcaption"))).resolves.toBeDefined();
  const bare = new MemoryData().put("set/0.png", packed(plain(4, 4, 0, 0, 0)));
  await expect(open(bare)).rejects.toThrow(
    "set: expected pictures with captions, got none. Put a captions.tsv beside them.",
  );
});

test("a set in memory: the drawn shapes tell what they show", async () => {
  const { inMemory } = captioned({ ...wanted, size: 8, length: 80 });
  const shapes = await openExamples("shapes", { ...inMemory!.format, part: "train" }, new MemoryData().tools);
  const { image, caption } = await inMemory!.source(shapes, 1, "shapes").batch(1);
  expect(image!.shape).toEqual([3, 3, 8, 8]);
  const text = (n: number): string => {
    const bytes = Array.from(caption!.data.slice(80 * n, 80 * n + 80), Number).filter((token) => token > 0);
    return new TextDecoder().decode(Uint8Array.from(bytes, (token) => token - 1));
  };
  for (const n of [0, 1, 2]) expect(shapes.captions).toContain(text(n));
  expect(() => inMemory!.source({ ...shapes, captions: undefined } as never, 1, "mine")).toThrow(
    "mine: expected pictures with captions, got none.",
  );
});
