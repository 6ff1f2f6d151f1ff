// @ts-check
// One workload in another JavaScript library, in a process of its own: prints the milliseconds of each run, a line each.
import { createRequire } from "node:module";
import { join } from "node:path";
import * as jax from "./jax.mjs";
import * as tfjs from "./tfjs.mjs";

/**
 * A network of layers with rectifiers between, and how it is asked for.
 * @typedef {object} Asked
 * @property {(name: string) => any} need imports a package of the folder where the libraries are
 * @property {(name: string) => string} find its file
 * @property {number[]} input @property {number[][]} weights as PyTorch has them, [out, in, …]
 * @property {boolean} isDense dense layers and a sigmoid at the end; convolutions otherwise
 * @property {boolean} isStep a training step; inference otherwise
 * @property {number} threads
 */

const [library, workload, kind, threads, folder] = /** @type {[string, string, string, string, string]} */ (
  process.argv.slice(2)
);
const NETWORKS = /** @type {Record<string, Pick<Asked, "input" | "weights">>} */ ({
  autoencoder: { input: [256, 784], weights: [[32, 784], [784, 32]] },
  srcnn: { input: [16, 1, 96, 96], weights: [[64, 1, 9, 9], [32, 64, 5, 5], [1, 32, 5, 5]] },
}); // biome-ignore format: a table
const network = NETWORKS[workload];
if (!network) throw new Error(`${workload}: expected ${Object.keys(NETWORKS).join(" or ")}`);
const need = createRequire(join(folder, "/"));
const run = await (library === "tfjs" ? tfjs : jax).open({
  ...network,
  need,
  find: need.resolve,
  isDense: network.input.length === 2,
  isStep: kind === "step",
  threads: Number(threads),
});

const ENOUGH_MS = 5000;
for (let count = 0, total = 0; count < 2 || (total < ENOUGH_MS && count < 100); count++) {
  const start = performance.now();
  await run();
  const ms = performance.now() - start;
  total += ms;
  console.log(ms);
}
