import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { judge } from "../../../src/tasks/evaluate/judge.ts";
import { cli } from "../../cli/support.ts";
import { temporaryFolder, testPlatform } from "../support.ts";
import { invertingFile, meanOf, plainSsim, psnrOff, writePairs } from "./translateSupport.ts";

const platform = testPlatform();
const HELD = [
  { left: 30, missed: 2 },
  { left: 120, missed: -9 },
  { left: 210, missed: 4 },
];

async function prepared() {
  const folder = await temporaryFolder();
  for (const part of ["pairs/train", "pairs/val"]) await mkdir(join(folder, part), { recursive: true });
  await writePairs(join(folder, "pairs/train"), [{ left: 0, missed: 0 }]);
  await writePairs(join(folder, "pairs/val"), HELD);
  return (...names: string[]) => join(folder, ...names);
}

const figuresOf = (held: typeof HELD) => ({
  psnr: expect.closeTo(meanOf(held.map(({ missed }) => psnrOff(missed))), 9),
  ssim: expect.closeTo(meanOf(held.map(({ left, missed }) => plainSsim(255 - left, 255 - left + missed))), 9),
  pictures: held.length,
});

test("mean PSNR and SSIM of the test part, by their closed forms", async () => {
  const at = await prepared();
  const model = await invertingFile(at(), { size: 16, pairs: "ab" });
  const asked = { model, data: at("pairs") };
  expect((await judge(asked, platform)).figures).toEqual(figuresOf(HELD));
  expect((await judge({ ...asked, count: 2 }, platform)).figures).toEqual(figuresOf(HELD.slice(0, 2)));
});

test("the other direction takes the other half", async () => {
  const at = await prepared();
  const model = await invertingFile(at(), { size: 16, pairs: "ba" });
  const { figures } = await judge({ model, data: at("pairs") }, platform);
  const ssims = HELD.map(({ left, missed }) => plainSsim(left - missed, left));
  expect(figures.ssim).toBeCloseTo(meanOf(ssims), 9);
});

test("imago evaluate prints and writes them", async () => {
  const at = await prepared();
  const model = await invertingFile(at(), { size: 16, pairs: "ab" });
  const argv = ["evaluate", "--model", model, "--data", at("pairs"), "--runtime", "reference"];
  const { code, out } = await cli([...argv, "--json", "-o", at("r.csv")]);
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ models: [{ model: "inverter.safetensors", ...figuresOf(HELD) }] });
  expect(await readFile(at("r.csv"), "utf8")).toContain("inverter.safetensors,pictures,3");
});

test("a network that learned without pairs is refused", async () => {
  const at = await prepared();
  for (const usage of [{ size: 16 }, { pairs: "ab" }] as const) {
    const model = await invertingFile(at(), usage);
    await expect(judge({ model, data: at("pairs") }, platform)).rejects.toThrow(
      "expected a network that was trained on pairs of one size, got another",
    );
  }
});
