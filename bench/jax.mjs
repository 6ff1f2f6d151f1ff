// @ts-check
// jax-js frees what a function was given: every use of an array but the last says `.ref`.
const RATE = 1e-4;

/** The network as a function of parameters [[weight, bias], …] and input. @param {any} library @param {boolean} isDense */
function netOf({ lax, nn, numpy: np }, isDense) {
  const layer = (/** @type {any} */ y, /** @type {any[]} */ [filter, bias]) =>
    (isDense ? np.matmul(y, np.transpose(filter)) : lax.conv(y, filter, [1, 1], "SAME")).add(bias);
  return (/** @type {any[][]} */ parameters, /** @type {any} */ x) => {
    const y = parameters.reduce((sum, one, at) => layer(at === 0 ? sum : nn.relu(sum), one), x);
    return isDense ? nn.sigmoid(y) : y;
  };
}

/** Adam without its corrections of the first steps: the new weight and moments. @param {any} np @param {any[]} arrays */
function adam(np, [w, m, v, g]) {
  const first = m.mul(0.9).add(g.ref.mul(0.1));
  const second = v.mul(0.999).add(np.square(g).mul(0.001));
  const move = first.ref.div(np.sqrt(second.ref).add(1e-8)).mul(RATE);
  return [w.sub(move), first, second];
}

/** The compiled step: state [w, m, v] and input to loss and new state. @param {any} library @param {Function} net */
function stepOf({ jit, numpy: np, tree, valueAndGrad }, net) {
  const slopes = valueAndGrad((/** @type {any[][]} */ parameters, /** @type {any} */ x) =>
    np.mean(np.square(net(parameters, x.ref).sub(x))),
  );
  return jit((/** @type {any} */ [w, m, v], /** @type {any} */ x) => {
    const [loss, g] = slopes(tree.ref(w), x);
    const moved = /** @type {any[][][]} */ (w).map((pair, layer) => pair.map((one, at) => adam(np, [one, m[layer][at], v[layer][at], g[layer][at]]))); // biome-ignore format: one line
    return [loss, [0, 1, 2].map((part) => moved.map((pair) => pair.map((all) => all[part])))];
  });
}

/** A network in jax-js on wasm; each call is one run of it. @param {import("./peerWorker.mjs").Asked} asked */
export async function open({ need, input, weights, isDense, isStep }) {
  const library = need("@jax-js/jax");
  const { init, defaultDevice, jit, numpy: np, random, tree, blockUntilReady } = library;
  await init("wasm");
  defaultDevice("wasm");
  const uniform = (/** @type {number[]} */ shape, bounds = {}) => random.uniform(random.key(1), shape, bounds);
  const x = uniform(input);
  const parameters = weights.map((shape) => [
    uniform(shape, { minval: -0.05, maxval: 0.05 }),
    np.zeros(isDense ? [shape[0]] : [1, shape[0], 1, 1]),
  ]);
  const net = netOf(library, isDense);
  const forward = jit(net);
  if (!isStep) return async () => void (await forward(tree.ref(parameters), x.ref).data());

  const zeros = () => parameters.map((pair) => pair.map((one) => np.zerosLike(one.ref)));
  const step = stepOf(library, net);
  let state = [parameters, zeros(), zeros()];
  return async () => {
    const [loss, next] = step(state, x.ref);
    state = await blockUntilReady(next);
    await loss.data();
  };
}
