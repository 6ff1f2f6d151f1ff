import { describe, expect, test } from "vitest";
import {
  compileFunction,
  compileStep,
  input,
  mean,
  mul,
  parameter,
  type Runtime,
  referenceRuntime,
  type Step,
  square,
} from "../../src/engine/index.ts";
import { createRuntime } from "../../src/engine/runtime/node.ts";
import { imagePool } from "../../src/nn/imagePool.ts";
import { initialWeights, network } from "../../src/nn/model.ts";
import { sgd } from "../../src/nn/optimizers.ts";
import { random } from "../../src/tensor/random.ts";
import { floats, type Tensor, tensor } from "../../src/tensor/tensor.ts";

const SEED = 5;
const STEPS = 30;
const [COUNT, CHANNELS, SIZE] = [50, 2, 3] as const;
const PIXELS = CHANNELS * SIZE * SIZE;

/** The pictures of a step, each filled with numbers of its own. */
const picturesOf = (step: number, batch: number): Tensor =>
  tensor(Float32Array.from({ length: batch * PIXELS }, random(1, "pictures", step).uniform), [batch, CHANNELS, SIZE, SIZE]); // biome-ignore format: one line

/** A step that moves one weight by what the pool hands on. */
async function open(runtime: Runtime, batch: number): Promise<Step> {
  const pool = network(imagePool, { channels: CHANNELS, size: SIZE }, "pool");
  const seen = pool(input("x", [batch, CHANNELS, SIZE, SIZE]), { training: true });
  const w = parameter([], { name: "w", network: "judge", shape: [], initializer: { kind: "constant", value: 0 }, trainable: true }); // biome-ignore format: one line
  const turns = { judge: { moves: ["judge"], loss: mean(square(mul(seen, w))), optimizer: sgd() } };
  const weights = { ...initialWeights([pool], 1), "judge/w": tensor([1], []) };
  return compileStep({ turns, carried: pool.carried, shown: { seen } }, { runtime, weights, seed: SEED });
}

const take = async (step: Step, at: number, batch: number): Promise<readonly number[]> => {
  const report = await step.run({ x: picturesOf(at, batch) }, { step: at, learningRate: 0.1 }, { shown: ["seen"] });
  return [...floats(report.shown.seen!)];
};

/** The pool of pytorch-CycleGAN-and-pix2pix as plain code, on the noise of the steps. */
function twin(batch: number) {
  const pool: (readonly number[])[] = [];
  const swapped: number[] = [];
  const query = (picture: readonly number[], swap: number, place: number): readonly number[] => {
    if (pool.length < COUNT) {
      pool.push(picture);
      return picture;
    }
    if (swap <= 0.5) return picture;
    const at = Math.floor(place * COUNT);
    const earlier = pool[at]!;
    pool[at] = picture;
    swapped.push(at);
    return earlier;
  };
  const step = (at: number): readonly number[] => {
    const noise = (name: string): Float32Array =>
      Float32Array.from({ length: batch }, random(SEED, "noise", `pool/${name}#0`, at).uniform);
    const [swaps, places, pictures] = [noise("swap"), noise("place"), [...floats(picturesOf(at, batch))]];
    return Array.from({ length: batch }, (_, one) =>
      query(pictures.slice(one * PIXELS, (one + 1) * PIXELS), swaps[one]!, places[one]!),
    ).flat();
  };
  return { pool, swapped, step };
}

describe.each([
  ["reference", 3],
  ["cpu", 1],
  ["cpu", 3],
  ["cpu", 8],
] as const)("a pool of fifty on %s, pictures by batches of %i", (name, batch) => {
  const each = Array.from({ length: batch === 1 ? 4 * STEPS : STEPS }, (_, at) => at + 1);

  test("hands on what the plain pool does, and goes on with the same bytes from a saved state", async () => {
    const runtime = createRuntime(name, { threads: 1 });
    const plain = twin(batch);
    const through = await open(runtime, batch);
    let step = await open(runtime, batch);
    for (const at of each) {
      const seen = await take(through, at, batch);
      expect(seen, `step ${at}`).toEqual(plain.step(at));
      expect(await take(step, at, batch)).toEqual(seen);
      if (at !== each.length / 2 && at !== each.length - 5) continue;
      const saved = await step.read();
      await step.dispose();
      step = await open(runtime, batch);
      await step.write(saved);
    }
    const state = await through.read();
    expect(await step.read()).toEqual(state);
    expect(state["weights/pool/filled"]!.data[0]).toBe(COUNT);
    expect([...floats(state["weights/pool/pictures"]!)]).toEqual(plain.pool.flat());
    expect(plain.swapped.length).toBeGreaterThan(10);
    expect(new Set(plain.swapped).size).toBeGreaterThan(8);
    await runtime.dispose();
  });
});

test("outside training pictures pass as they are", async () => {
  const pool = network(imagePool, { channels: CHANNELS, size: SIZE }, "pool");
  const y = pool(input("x", [2, CHANNELS, SIZE, SIZE]));
  expect(pool.carried).toEqual([]);
  const compiled = await compileFunction({ y }, { runtime: referenceRuntime(), weights: initialWeights([pool], 1) });
  const x = picturesOf(1, 2);
  expect((await compiled.run({ x })).y).toEqual(x);
});
