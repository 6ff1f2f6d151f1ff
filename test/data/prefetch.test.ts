import { describe, expect, test } from "vitest";
import { makePool, makeWindows } from "../../src/data/pictureWindow.ts";
import { prefetch } from "../../src/data/prefetch.ts";
import type { DataSource } from "../../src/data/source.ts";
import { tensor } from "../../src/tensor/tensor.ts";

/** Hands out batches when told to; notes which were asked for. */
const slowSource = () => {
  const asked: number[] = [];
  const release = new Map<number, () => void>();
  const source: DataSource = {
    description: { count: 1, bytes: 1, sha256: "" },
    skipped: [],
    batch(step) {
      asked.push(step);
      const value = { x: tensor([step], [1]) };
      return new Promise((resolve) => release.set(step, () => resolve(value)));
    },
  };
  return { source, asked, release };
};

const quick = (fail?: number): DataSource => ({
  description: { count: 1, bytes: 1, sha256: "" },
  skipped: [],
  async batch(step) {
    if (step === fail) throw new Error(`batch ${step}`);
    return { x: tensor([step], [1]) };
  },
});

/** The taker works off this thread. */
const atWork = () => new Promise((resolve) => setTimeout(resolve, 5));

describe("prefetch", () => {
  test("gives all steps in order, asking for `depth` more than are used", async () => {
    const { source, asked, release } = slowSource();
    const batches = prefetch(source, { from: 4, to: 8, depth: 2 });
    const first = batches.next();
    release.get(4)!();
    expect((await first).value).toMatchObject({ step: 4, tensors: { x: { data: Float32Array.of(4) } } });
    expect(asked).toEqual([4]); // the others once the taker is at work
    await atWork();
    expect(asked).toEqual([4, 5, 6]);
    const second = batches.next();
    release.get(6)!();
    release.get(5)!();
    expect((await second).value).toMatchObject({ step: 5 });
    await atWork();
    expect(asked).toEqual([4, 5, 6, 7]);
    for (const step of [6, 7, 8]) {
      const next = batches.next();
      release.get(step)!();
      expect((await next).value).toMatchObject({ step });
      await atWork();
    }
    expect(asked).toEqual([4, 5, 6, 7, 8]);
    expect((await batches.next()).done).toBe(true);
  });

  test("tells how long the taker waited", async () => {
    const { source, release } = slowSource();
    let time = 0;
    const batches = prefetch(source, { from: 1, to: 2, depth: 1, now: () => time });
    const first = batches.next();
    time = 1500;
    release.get(1)!();
    expect((await first).value).toMatchObject({ waited: 1.5 });
    await atWork();
    release.get(2)!();
    time = 9000; // the taker's own time
    expect((await batches.next()).value).toMatchObject({ waited: 0 });
  });

  test("making a batch counts where it holds the taker up, and not while the taker works", async () => {
    let time = 0;
    const source = {
      async batch(step: number) {
        time += 250; // on this thread
        return { x: tensor([step], [1]) };
      },
    };
    const batches = prefetch(source, { from: 1, to: 4, depth: 1, now: () => time });
    const waited = async () => (await batches.next()).value?.waited;
    expect(await waited()).toBe(0.25);
    expect(await waited()).toBe(0.25); // no time to begin it
    await atWork();
    expect(await waited()).toBe(0);
    await batches.return();
    await atWork();
    expect(time).toBe(750);
  });

  test("a failure comes at its step, not before", async () => {
    const steps: number[] = [];
    const take = async () => {
      for await (const { step } of prefetch(quick(3), { from: 1, to: 9, depth: 5 })) steps.push(step);
    };
    await expect(take()).rejects.toThrow("batch 3");
    expect(steps).toEqual([1, 2]);
  });

  test("ends when aborted, even while it waits", async () => {
    const { source } = slowSource();
    const end = new AbortController();
    const next = prefetch(source, { from: 1, to: 9, signal: end.signal }).next();
    end.abort();
    expect((await next).done).toBe(true);
  });

  test("nothing to do is nothing", async () => {
    expect((await prefetch(quick(), { from: 5, to: 4 }).next()).done).toBe(true);
  });
});

describe("windows", () => {
  test.each([
    { count: 10, size: 10 },
    { count: 10, size: 3 },
    { count: 7, size: 1 },
  ])("of $size cut each epoch of $count into parts", ({ count, size }) => {
    const windows = makeWindows({ count, size, steps: 5, batch: 4, seed: 1 });
    const perEpoch = Math.ceil(count / size);
    for (const epoch of [0, 1, 2]) {
      const all = Array.from({ length: perEpoch }, (_, i) => windows.members(epoch * perEpoch + i));
      expect(all.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
      expect(Math.max(...all.map(({ length }) => length))).toBeLessThanOrEqual(size);
    }
    for (const step of [1, 5, 6, 77]) {
      const picks = windows.picks(step);
      expect(picks).toHaveLength(4);
      for (const pick of picks) expect(windows.members(windows.of(step))).toContain(pick);
    }
  });
});

describe("a pool", () => {
  test("loads once, fetches ahead one at a time, drops what is not wanted", async () => {
    const loads: number[] = [];
    let [running, most] = [0, 0];
    const pool = makePool(async (index) => {
      loads.push(index);
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 1));
      running--;
      return index * 10;
    });
    pool.want([1, 2, 3]);
    while (loads.length < 3) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(await pool.get(2)).toBe(20);
    expect(loads).toEqual([1, 2, 3]);
    expect(most).toBe(1);
    pool.want([3, 4]);
    expect([await pool.get(3), await pool.get(4)]).toEqual([30, 40]);
    expect(loads).toEqual([1, 2, 3, 4]);
    expect(await pool.get(1)).toBe(10);
    expect(loads).toEqual([1, 2, 3, 4, 1]);
  });
});
