import { expect, test } from "vitest";
import { evaluate, gradient, input, type Node } from "../../src/engine/index.ts";
import { charbonnier, hinge, leastSquares, logistic } from "../../src/nn/losses.ts";

const SCORES = [-3, -0.5, 0.25, 2];
const average = (values: readonly number[]): number => values.reduce((a, b) => a + b) / values.length;

/** The loss of SCORES and its gradient. */
function of(loss: (scores: Node) => Node): { readonly value: number; readonly slope: readonly number[] } {
  const scores = input("scores", [2, 2]);
  const y = loss(scores);
  const [value, slope] = evaluate(
    [y, ...gradient(y, [scores])],
    new Map([[scores, { shape: [2, 2], data: Float64Array.from(SCORES) }]]),
  );
  expect(y.shape).toEqual([]);
  return { value: value!.data[0]!, slope: [...slope!.data] };
}

function expectLoss(loss: (scores: Node) => Node, value: (x: number) => number, slope: (x: number) => number): void {
  const found = of(loss);
  expect(found.value).toBeCloseTo(average(SCORES.map(value)), 12);
  found.slope.forEach((one, at) => {
    expect(one).toBeCloseTo(slope(SCORES[at]!) / SCORES.length, 12);
  });
}

test("charbonnier is the mean of √(d² + ε²)", () => {
  const target = input("target", [2, 2]);
  const x = input("x", [2, 2]);
  const y = charbonnier(x, target, 0.5);
  const [value, slope] = evaluate(
    [y, ...gradient(y, [x])],
    new Map([
      [x, { shape: [2, 2], data: Float64Array.from([1, 2, 3, 4]) }],
      [target, { shape: [2, 2], data: Float64Array.from([1, 0, 3.5, 9]) }],
    ]),
  );
  const apart = [0, 2, -0.5, -5];
  expect(value!.data[0]).toBeCloseTo(average(apart.map((d) => Math.hypot(d, 0.5))), 12);
  expect([...slope!.data]).toEqual(apart.map((d) => expect.closeTo(d / Math.hypot(d, 0.5) / 4, 12)));
});

test("charbonnier's ε is 1e-3", () => {
  expect(of((x) => charbonnier(x, x)).value).toBeCloseTo(1e-3, 12);
});

test("logistic is −log σ(±score)", () => {
  const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
  expectLoss(
    (x) => logistic(x, true),
    (x) => -Math.log(sigmoid(x)),
    (x) => sigmoid(x) - 1,
  );
  expectLoss(
    (x) => logistic(x, false),
    (x) => -Math.log(1 - sigmoid(x)),
    (x) => sigmoid(x),
  );
});

test("hinge stops at a margin of one", () => {
  expectLoss(
    (x) => hinge(x, true),
    (x) => (x < 1 ? 1 - x : 0),
    (x) => (x < 1 ? -1 : 0),
  );
  expectLoss(
    (x) => hinge(x, false),
    (x) => (x > -1 ? 1 + x : 0),
    (x) => (x > -1 ? 1 : 0),
  );
});

test("least squares pulls to one and to zero", () => {
  expectLoss(
    (x) => leastSquares(x, true),
    (x) => (x - 1) ** 2,
    (x) => 2 * (x - 1),
  );
  expectLoss(
    (x) => leastSquares(x, false),
    (x) => x ** 2,
    (x) => 2 * x,
  );
});
