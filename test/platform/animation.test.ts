import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Channels, Picture } from "../../src/image/picture.ts";
import { writeAnimation } from "../../src/platform/animation.ts";
import { scrambled } from "../fixtures/pictures.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "imago-animation-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Pictures that differ from each other everywhere. */
const frames = (count: number, channels: Channels = 3): Picture[] =>
  Array.from({ length: count }, (_, n) => {
    const picture = scrambled({ width: 20, height: 14 }, channels, 8);
    return { ...picture, data: Uint8Array.from(picture.data, (value) => (value + 40 * n) & 255) };
  });

test.each([1, 3] as const)(".webp holds every picture of %i channels exactly, in order, each as long as asked", async (channels) => {
  const path = join(folder, `exact-${channels}.webp`);
  const pictures = frames(4, channels);
  await writeAnimation(path, pictures, { milliseconds: [100, 100, 100, 2000] });
  const info = await sharp(path, { animated: true }).metadata();
  expect([info.pages, info.width, info.pageHeight, info.loop]).toEqual([4, 20, 14, 0]);
  expect(info.delay).toEqual([100, 100, 100, 2000]);
  for (const [page, { data }] of pictures.entries()) {
    const read = await sharp(path, { page }).removeAlpha().raw().toBuffer();
    const expected = channels === 3 ? data : Uint8Array.from({ length: 3 * data.length }, (_, i) => data[Math.floor(i / 3)]!);
    expect(new Uint8Array(read)).toEqual(expected);
  }
}); // biome-ignore format: one title

test(".gif holds as many pictures", async () => {
  const path = join(folder, "a.gif");
  await writeAnimation(path, frames(3), { milliseconds: 250 });
  const { pages, delay, format } = await sharp(path, { animated: true }).metadata();
  expect({ pages, delay, format }).toEqual({ pages: 3, delay: [250, 250, 250], format: "gif" });
});

test("what cannot be written is told, and nothing is left behind", async () => {
  const at = (name: string): string => join(folder, "none", name);
  const write = (name: string, pictures: Picture[], milliseconds: number | number[] = 100) =>
    writeAnimation(at(name), pictures, { milliseconds });
  const [a, b] = [frames(1), frames(1, 1)];
  await expect(write("a.png", a)).rejects.toThrow('an animation, ending in .webp or .gif, got ".png"');
  await expect(write("a.webp", a, [100, 100])).rejects.toThrow(
    "milliseconds: expected one number or 1, one a picture, got 2",
  );
  await expect(write("a.webp", a, 0)).rejects.toThrow("expected whole numbers from 1 to 65535, got 0");
  await expect(write("a.webp", a)).rejects.toThrow(`the folder ${join(folder, "none")} is not there`);
  const here = (pictures: Picture[]) => writeAnimation(join(folder, "b.webp"), pictures, { milliseconds: 100 });
  await expect(here([])).rejects.toThrow("expected at least one picture, got none");
  await expect(here([...a, ...b])).rejects.toThrow(
    "expected pictures of 20×14×3, as the first, got 20×14×1 (number 2)",
  );
  expect(await readdir(folder)).not.toContain("b.webp");
});

test("an animation that is there is replaced only with force", async () => {
  const path = join(folder, "once.webp");
  await writeAnimation(path, frames(2), { milliseconds: 100 });
  const before = await readFile(path);
  await expect(writeAnimation(path, frames(3), { milliseconds: 100 })).rejects.toThrow("already there");
  expect(await readFile(path)).toEqual(before);
  await writeAnimation(path, frames(3), { milliseconds: 100, force: true });
  expect((await sharp(path, { animated: true }).metadata()).pages).toBe(3);
});
