// @ts-check
// Differentiates a function, and its gradient again. node examples/gradients.mjs
import { engine, floats, tensor } from "imago";

const { compileFunction, cos, gradient, input, mul, referenceRuntime, sin, sum } = engine;

// f(x) = Σ x · sin x as a graph: nothing is computed yet.
const x = input("x", [3]);
const f = sum(mul(x, sin(x)));
const [slope] = gradient(f, [x]);
if (!slope) throw new Error("gradient returned nothing");

// A gradient is a graph too, so it can be differentiated. The sum makes it a scalar.
const [curvature] = gradient(sum(slope), [x]);
if (!curvature) throw new Error("gradient returned nothing");

// The same by hand: f′ = sin x + x cos x, f″ = 2 cos x − x sin x.
const slopeByHand = engine.add(sin(x), mul(x, cos(x)));
const curvatureByHand = engine.sub(mul(2, cos(x)), mul(x, sin(x)));

const runtime = referenceRuntime();
const program = await compileFunction({ f, slope, curvature, slopeByHand, curvatureByHand }, { runtime });
const results = await program.run({ x: tensor([0, 1, 2], [3]) });
await runtime.dispose();

for (const [name, value] of Object.entries(results)) {
  const numbers = [...floats(value)].map((number) => number.toFixed(6));
  console.log(`${name.padEnd(15)} ${numbers.join("  ")}`);
}
for (const name of ["slope", "curvature"]) {
  const [ours, hand] = [results[name], results[`${name}ByHand`]].map((value) => [
    ...floats(/** @type {any} */ (value)),
  ]);
  if (ours?.some((number, at) => Math.abs(number - (hand?.[at] ?? Number.NaN)) > 1e-6))
    throw new Error(`${name}: expected ${hand}, got ${ours}`);
}
