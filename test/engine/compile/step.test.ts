import { afterAll, describe, expect, test } from "vitest";
import {
  add,
  compileStep,
  concat,
  gradient,
  input,
  matmul,
  mean,
  mul,
  type Node,
  neg,
  parameter,
  type StateReader,
  type StepPlan,
  softplus,
  square,
  sub,
  sum,
  type Turn,
  tanh,
} from "../../../src/engine/index.ts";
import { createRuntime } from "../../../src/engine/runtime/node.ts";
import { adam, sgd } from "../../../src/nn/optimizers.ts";
import { floats, type Shape, type Tensor, tensor } from "../../../src/tensor/tensor.ts";
import { compileGan } from "../../nn/gan.ts";
import { seeded } from "../support.ts";

const weight = (name: string, shape: Shape, network = "net"): Node =>
  parameter([], { name, network, shape, initializer: { kind: "constant", value: 0 }, trainable: true });
const start = tensor([1, -2, 3], [3]);
const plain = { step: 1, learningRate: 0.5 };

/** Σ (w − x)², whose gradient is 2 (w − x), and what goes into the plan beside it. */
function pull(rest: Partial<StepPlan> = {}, turn: Partial<Turn> = {}): { plan: StepPlan; w: Node } {
  const w = weight("w", [3]);
  const loss = sum(square(sub(w, input("x", [3]))));
  return { w, plan: { turns: { net: { moves: ["net"], loss, optimizer: sgd(), ...turn } }, ...rest } };
}

const collected = async (step: StateReader, isAsked?: (name: string) => boolean): Promise<Record<string, Tensor>> => {
  const found: Record<string, Tensor> = {};
  for await (const [name, value] of step.entries(isAsked)) found[name] = value;
  return found;
};

/** A turn of one network by plain descent. */
const descent = (network: string, loss: Node): Turn => ({ moves: [network], loss, optimizer: sgd() });

describe.each(["reference", "cpu"] as const)("a step on %s", (name) => {
  const runtime = createRuntime(name, { threads: 1 });
  afterAll(() => runtime.dispose());
  const weights = { "net/w": start };
  const x = tensor([0, 0, 1], [3]);

  test("returns loss and metrics of the weights before it, and moves them", async () => {
    const { plan, w } = pull();
    const step = await compileStep({ ...plan, metrics: { "mean weight": mean(w) } }, { runtime, weights });
    expect(step.inputs).toEqual({ x: [3] });
    const report = (await step.run({ x }, { step: 1, learningRate: 0.25 })).losses;
    expect(report).toEqual({ net: 9, "mean weight": expect.closeTo(2 / 3, 6) });
    expect([...floats((await step.read())["weights/net/w"]!)]).toEqual([0.5, -1, 2]);
    await step.dispose();
  });

  test("returns what is asked for alone, and moves the weights all the same", async () => {
    const { plan, w } = pull();
    const step = await compileStep({ ...plan, metrics: { "mean weight": mean(w) } }, { runtime, weights });
    const numbers = { step: 1, learningRate: 0.25 };
    expect(await step.run({ x }, numbers, { numbers: [] })).toEqual({ losses: {}, shown: {} });
    expect([...floats((await step.read())["weights/net/w"]!)]).toEqual([0.5, -1, 2]);
    expect((await step.run({ x }, numbers, { numbers: ["net"] })).losses).toEqual({ net: 2.25 }); // ½² + 1² + 1²
    await step.dispose();
  });

  test("clipNorm shortens a long gradient, leaves a short one, and reports the length", async () => {
    const { plan } = pull({}, { clipNorm: 3 });
    const step = await compileStep(plan, { runtime, weights });
    const report = (await step.run({ x }, plain)).losses; // gradient [2, −4, 4], of length 6
    expect(report["norm of net"]).toBeCloseTo(6, 5);
    const moved = floats((await step.read())["weights/net/w"]!);
    expect([...moved]).toEqual([1 - 0.5, -2 + 1, 3 - 1].map((value) => expect.closeTo(value, 5)));
    await step.run(
      {
        x: tensor(
          [...moved].map((value) => value - 0.5),
          [3],
        ),
      },
      plain,
    ); // gradient [1, 1, 1]
    expect([...floats((await step.read())["weights/net/w"]!)]).toEqual(
      [...moved].map((value) => expect.closeTo(value - 0.5, 5)),
    );
    await step.dispose();
  });

  test("watchNorms reports the length and changes nothing", async () => {
    const moved = async (watchNorms: boolean) => {
      const step = await compileStep(pull({ watchNorms }).plan, { runtime, weights });
      const report = (await step.run({ x }, plain)).losses;
      const after = [...floats((await step.read())["weights/net/w"]!)];
      await step.dispose();
      return { norm: report["norm of net"], after };
    };
    const [watched, unwatched] = [await moved(true), await moved(false)];
    expect(watched.norm).toBeCloseTo(6, 5);
    expect(unwatched.norm).toBeUndefined();
    expect(watched.after).toEqual(unwatched.after);
  });

  test("weights of more than one vector move as those of one do: clipped by the length of all, each with its average", async () => {
    const sides = [600, 300_000, 7, 200_000, 5];
    const parts = sides.map((side, at) => weight(`w${at}`, [side]));
    const loss = parts.map((w) => mul(0.5, sum(square(w)))).reduce((total, part) => add(total, part));
    const plan = { turns: { net: { ...descent("net", loss), clipNorm: 10 } }, ema: ["net"] };
    const values = sides.map((side, at) => tensor(new Float32Array(side).fill((at + 1) / 64), [side]));
    const weights = Object.fromEntries(values.map((value, at) => [`net/w${at}`, value]));
    const length = Math.sqrt(sides.reduce((total, side, at) => total + side * ((at + 1) / 64) ** 2, 0));
    const step = await compileStep(plan, { runtime, weights });
    const report = (await step.run({}, { step: 1, learningRate: 0.5, emaDecay: 0.75 })).losses;
    expect(report["norm of net"]! / length).toBeCloseTo(1, 6);
    const read = await step.read();
    for (const at of sides.keys()) {
      const moved = ((at + 1) / 64) * (1 - 5 / length);
      expect(floats(read[`weights/net/w${at}`]!).every((value) => Math.abs(value - moved) < 1e-6)).toBe(true);
      const followed = (3 * (at + 1)) / 256 + moved / 4;
      expect(floats(read[`ema/net/w${at}`]!).every((value) => Math.abs(value - followed) < 1e-6)).toBe(true);
    }
    await step.dispose();
  });

  test("ema starts as the weights and follows them by its decay", async () => {
    const step = await compileStep(pull({ ema: ["net"] }).plan, { runtime, weights });
    expect([...floats((await step.read())["ema/net/w"]!)]).toEqual([1, -2, 3]);
    await step.run({ x }, { step: 1, learningRate: 0.25, emaDecay: 0.75 }); // w becomes [0.5, −1, 2]
    expect([...floats((await step.read())["ema/net/w"]!)]).toEqual([0.875, -1.75, 2.75]);
    await step.run({ x }, { step: 2, learningRate: 0, emaDecay: 0 });
    expect([...floats((await step.read())["ema/net/w"]!)]).toEqual([0.5, -1, 2]);
    await step.dispose();
  });

  test("each turn has its own learning rate; later ones see weights moved before", async () => {
    const [a, b] = [weight("w", [], "first"), weight("w", [], "second")];
    const step = await compileStep(
      { turns: { first: descent("first", mul(a, 3)), second: descent("second", mul(b, a)) } },
      { runtime, weights: { "first/w": tensor([1], []), "second/w": tensor([1], []) } },
    );
    const report = (await step.run({}, { step: 1, learningRate: { first: 0.1, second: 2 } })).losses;
    expect(report.second).toBeCloseTo(0.7, 6);
    const state = await step.read();
    expect(state["weights/first/w"]!.data[0]).toBeCloseTo(0.7, 6);
    expect(state["weights/second/w"]!.data[0]).toBeCloseTo(1 - 2 * 0.7, 6);
    await step.dispose();
  });

  test("noise is fresh at every step and decided by seed, step and name", async () => {
    const drawn = async (seed: number, count: number): Promise<number[]> => {
      const w = weight("w", [2, 400]);
      const noise = (["normal", "uniform"] as const).map((noise) => input(noise, [1, 400], { noise }));
      const turns = { net: descent("net", sum(mul(w, concat(noise, 0)))) };
      const zero = { "net/w": tensor(new Array(800).fill(0), [2, 400]) };
      const step = await compileStep({ turns }, { runtime, weights: zero, seed });
      expect(step.inputs).toEqual({});
      await step.run({}, { step: count, learningRate: -1 });
      const values = [...floats((await step.read())["weights/net/w"]!)];
      await step.dispose();
      return values;
    };
    const first = await drawn(1, 5);
    expect(await drawn(1, 5)).toEqual(first);
    expect(await drawn(1, 6)).not.toEqual(first);
    expect(await drawn(2, 5)).not.toEqual(first);
    const [normals, uniforms] = [first.slice(0, 400), first.slice(400)];
    const average = (values: number[]): number => values.reduce((a, b) => a + b) / values.length;
    expect(Math.abs(average(normals))).toBeLessThan(0.2);
    expect(average(normals.map((value) => value ** 2))).toBeGreaterThan(0.75);
    expect(Math.abs(average(uniforms) - 0.5)).toBeLessThan(0.06);
    expect(Math.min(...uniforms)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...uniforms)).toBeLessThan(1);
  });

  test("a gradient penalty of first derivatives (R1) moves weights as finite differences say", async () => {
    const random = seeded(4);
    const draw = (shape: Shape): Tensor =>
      tensor(
        Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => 2 * random() - 1),
        shape,
      );
    const first = { "net/w": draw([3, 2]), "net/a": draw([1, 3]) };
    const pictures = draw([4, 2]);
    const [real, w, a] = [input("real", [4, 2]), weight("w", [3, 2]), weight("a", [1, 3])];
    const scores = matmul(tanh(matmul(real, w, { transposeB: true })), a, { transposeB: true });
    const [slope] = gradient(sum(scores), [real]);
    const penalty = mean(sum(square(slope!), [1]));
    const turns = { net: descent("net", add(mean(softplus(neg(scores))), mul(penalty, 5))) };
    const step = await compileStep({ turns }, { runtime, weights: first });
    const report = (await step.run({ real: pictures }, { step: 1, learningRate: 1 })).losses;
    const state = await step.read();

    const [ws, as] = [Array.from(floats(first["net/w"])), Array.from(floats(first["net/a"]))];
    const loss = (): number => {
      const each = Array.from({ length: 4 }, (_, n) => {
        const [p, q] = [Number(pictures.data[2 * n]), Number(pictures.data[2 * n + 1])];
        const h = as.map((_, k) => Math.tanh(ws[2 * k]! * p + ws[2 * k + 1]! * q));
        const score = h.reduce((total, value, k) => total + as[k]! * value, 0);
        const by = (axis: number): number =>
          h.reduce((total, value, k) => total + as[k]! * (1 - value ** 2) * ws[2 * k + axis]!, 0);
        return Math.log(1 + Math.exp(-score)) + 5 * (by(0) ** 2 + by(1) ** 2);
      });
      return each.reduce((total, value) => total + value) / 4;
    };
    expect(report.net).toBeCloseTo(loss(), 4);
    for (const [key, values] of [["net/w", ws], ["net/a", as]] as const) // biome-ignore format: one line
      values.forEach((value, at) => {
        const there = (moved: number): number => {
          values[at] = moved;
          return loss();
        };
        const numeric = (there(value + 1e-5) - there(value - 1e-5)) / 2e-5;
        values[at] = value;
        expect(value - Number(state[`weights/${key}`]!.data[at]), `${key}[${at}]`).toBeCloseTo(numeric, 4);
      });
    await step.dispose();
  });

  test("read and write: a fresh step goes on with the same bits", async () => {
    const random = seeded(21);
    const feeds = Array.from({ length: 6 }, () => ({
      z: tensor(Float32Array.from({ length: 10 }, random), [5, 2]),
      real: tensor(Float32Array.from({ length: 15 }, random), [5, 3]),
    }));
    const { step, weights } = await compileGan(runtime);
    const numbers = (count: number) => ({ step: count, learningRate: 0.01 });
    for (let count = 1; count <= 3; count++) await step.run(feeds[count - 1]!, numbers(count));
    const saved = await step.read();
    const fresh = (await compileGan(runtime)).step;
    expect((await fresh.read())["weights/generator/in.weight"]).toEqual(weights["generator/in.weight"]);
    await fresh.write(saved);
    expect(await fresh.read()).toEqual(saved);
    expect(await collected(fresh)).toEqual(saved);
    expect(Object.keys(await collected(fresh, (key) => key.endsWith("score.bias")))).toEqual([
      "weights/discriminator/score.bias",
      "m/discriminator/score.bias",
      "v/discriminator/score.bias",
    ]);
    expect(fresh.shapes).toEqual(Object.fromEntries(Object.entries(saved).map(([key, { shape }]) => [key, shape])));
    for (let count = 4; count <= 6; count++)
      expect(await fresh.run(feeds[count - 1]!, numbers(count))).toEqual(
        await step.run(feeds[count - 1]!, numbers(count)),
      );
    const [ended, other] = [await step.read(), await fresh.read()];
    if (name === "cpu") expect(other).toEqual(ended);
    expect(ended).not.toEqual(saved);
    expect(Object.keys(saved).filter((key) => /score.bias|running_mean|spectral/.test(key))).toEqual([
      "weights/discriminator/score.bias",
      "m/discriminator/score.bias",
      "v/discriminator/score.bias",
      "weights/discriminator/norm.running_mean",
      "weights/discriminator/spectral.u",
      "weights/generator/norm.running_mean",
    ]);
    await step.dispose();
    await fresh.dispose();
  });

  test("write refuses a state that lacks a tensor or has another shape", async () => {
    const step = await compileStep(pull({}, { optimizer: adam() }).plan, { runtime, weights });
    const { "m/net/w": m, ...rest } = await step.read();
    await expect(step.write(rest)).rejects.toThrow("m/net/w: expected this tensor in the saved state, got none.");
    await expect(step.write({ ...rest, "m/net/w": tensor([1], [1]) })).rejects.toThrow(
      "net/w: expected the shape [3], got [1].",
    );
    await step.write({ ...rest, "m/net/w": m! });
    await step.dispose();
  });
});
