import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { nodeFiles } from "../../src/platform/nodeFiles.ts";
import { loadStep } from "../../src/train/checkpoint.ts";
import { contentsOf, metricsIn, openWorkshop, training, trainKilled, type Workshop } from "../cli/killing.ts";

/** Processes that are killed, disks that are full, memory that must not grow: by the real command line. */
const steps = 300;
let shop: Workshop;
let whole: Readonly<Record<string, string>>;

beforeAll(async () => {
  shop = await openWorkshop();
  const { code, err } = await shop.start(training("whole", steps)).ended;
  expect(code, err).toBe(0);
  whole = await contentsOf(shop.at("whole"));
});

afterAll(() => shop.remove());

const resume = (run: string) => shop.start(["train", "--resume", run]).ended;

describe("killed", () => {
  test("twenty times, a training equals one that was not, byte for byte", async () => {
    const { reached, last } = await trainKilled(shop, "killed", { kills: 20, steps, seed: 20 });
    expect(last.code, last.err).toBe(0);
    expect(await contentsOf(shop.at("killed"))).toEqual(whole);
    const lines = metricsIn(await readFile(shop.at("killed/metrics.jsonl"), "utf8"));
    expect(lines.map(({ step }) => step)).toEqual(Array.from({ length: steps }, (_, i) => i + 1));
    console.log(`killed at steps ${reached.join(", ")}`);
  });

  test("by Ctrl-C twice, the second while a step takes long: 130, no crash, and it goes on", async () => {
    const slow = "train srcnn --patch 64 --batch 144 --threads 1 --log 1 --save 1 --steps 4 --data data --run slow";
    const session = shop.start(slow.split(" "));
    expect(await session.steps(1)).toBe(true);
    session.kill("SIGINT");
    await sleep(1100);
    session.kill("SIGINT");
    const { code, err } = await session.ended;
    expect(code, err).toBe(130);
    expect(err).not.toMatch(/terminate called|internal:/);
    const rest = await shop.start(["train", "--resume", "slow", "--steps", "4"]).ended;
    expect(rest.code, rest.err).toBe(0);
  });
});

const mount = (folder: string, kilobytes: number, ...more: string[]): boolean =>
  spawnSync("mount", ["-t", "tmpfs", "-o", [`size=${kilobytes}k`, ...more].join(), "tmpfs", folder]).status === 0;

const unmount = (folder: string): void => void spawnSync("umount", [folder]);

/** Whether this user may mount a small disk. */
async function canMount(): Promise<boolean> {
  await mkdir(shop.at("disk"), { recursive: true });
  const isMounted = mount(shop.at("disk"), 8);
  if (isMounted) unmount(shop.at("disk"));
  else console.warn("SKIPPED: full disks; mounting a tmpfs takes root.");
  return isMounted;
}

describe("a full disk", () => {
  afterAll(() => unmount(shop.at("disk")));

  // 8: no step, 100: no checkpoint, 180: no sample, 300: no second one beside the first, 400: in the middle
  test.each([8, 100, 180, 300, 400])("of %i kB stops a training, which goes on when there is space", async (size) => {
    if (!(await canMount())) return;
    const [disk, run] = [shop.at("disk"), shop.at("disk/run")];
    expect(mount(disk, size)).toBe(true);
    const { code, err } = await shop.start(training("disk/run", steps)).ended;
    expect(code, err).toBe(2);
    expect(err.match(/full|internal:|^ +at /gm), err).toEqual(["full"]);
    expect(err.trim().split("\n").at(-1)).toMatch(/^disk\/run\/\S+: .*disk.*\. Free some space and run it again\.$/);
    const files = await readdir(run);
    expect(files.filter((name) => name.endsWith(".tmp") || name.includes("lock"))).toEqual([]);
    expect(files).not.toContain("weights.safetensors");
    if (files.includes("checkpoint.safetensors"))
      expect((await loadStep(`${run}/checkpoint.safetensors`, nodeFiles)) % 5).toBe(0);
    // Still full: refused without a loss
    const before = await contentsOf(run);
    await writeFile(`${disk}/ballast`, new Uint8Array(size * 1024)).catch(() => {}); // as much as there is room for
    const again = await resume("disk/run");
    expect(again.code, again.err).toBe(2);
    const { "metrics.jsonl": _, ...kept } = before;
    expect(await contentsOf(run)).toMatchObject(kept);
    // Space again
    await rm(`${disk}/ballast`, { force: true });
    expect(spawnSync("mount", ["-o", "remount,size=4m", disk]).status).toBe(0);
    const { code: ended, err: last } = await resume("disk/run");
    expect(ended, last).toBe(0);
    expect(await contentsOf(run)).toEqual(whole);
    unmount(disk);
  });

  test.each(["png", "jpeg", "tiff", "avif", "webp"])("keeps no half of a %s from upscale", async (format) => {
    if (!(await canMount())) return;
    expect(mount(shop.at("disk"), 4)).toBe(true);
    const argv = ["upscale", "data/0.png", "--model", "whole", "--format", format, "--quality", "100", "-o"];
    const { code, err } = await shop.start([...argv, `disk/large.${format}`]).ended;
    expect({ code, err }).toEqual({
      code: 2,
      err: `disk/large.${format}: the disk is full. Free some space and run it again.\n`,
    });
    expect(await readdir(shop.at("disk"))).toEqual([]);
    unmount(shop.at("disk"));
  });
});

describe("memory", () => {
  /** A program that prints how much the process has grown, in MB, once warm. */
  const grown = async (round: string, counts: { readonly warm: number; readonly count: number }): Promise<number> => {
    await writeFile(
      shop.at("grown.mjs"),
      `import { existsSync, rmSync } from "node:fs";
       import { srcnn, train, upscale } from "./dist/index.js";
       const size = () => { globalThis.gc(); return process.memoryUsage().rss / 2 ** 20; };
       let [count, before] = [0, 0];
       const mark = () => { if (++count === ${counts.warm}) before = size(); };
       ${round}
       console.log(JSON.stringify({ count, before, grown: size() - before }));`,
    );
    const argv = ["--expose-gc", shop.at("grown.mjs")];
    const { status, stdout, stderr } = spawnSync(process.execPath, argv, { cwd: shop.folder, encoding: "utf8" });
    expect(status, stderr).toBe(0);
    console.log(stdout.trim());
    const told = JSON.parse(stdout) as { count: number; grown: number };
    expect(told.count).toBeGreaterThanOrEqual(counts.count);
    return told.grown;
  };

  test("300 steps of training do not grow the process", async () => {
    const round = `for await (const tick of train(srcnn, { form: "9-1-5", patch: 32, batch: 16, data: ["data"],
      run: "grown", steps: 400, save: 20, sample: 50, log: 10, threads: 1 })) mark();`;
    expect(await grown(round, { warm: 100, count: 400 })).toBeLessThan(60);
  });

  test("200 calls of upscale do not, each with a runtime of its own", async () => {
    expect(existsSync(shop.at("whole/weights.safetensors"))).toBe(true);
    const round = `for (let i = 0; i < 250; i++) {
      await upscale("data/0.png", { model: "whole", threads: 1 });
      mark();
    }`;
    expect(await grown(round, { warm: 50, count: 250 })).toBeLessThan(100);
  });
});
