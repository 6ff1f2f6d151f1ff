import { sizeOf } from "../../tensor/tensor.ts";
import type { Emit } from "../graph/emit.ts";
import { defineOp, type Example, misfit, type NDArray, type Node, topological } from "../graph/node.ts";
import { after, allOf } from "./after.ts";
import { add, mul, sub } from "./elementwise.ts";
import { matmul } from "./matmul.ts";
import { softmax, sum } from "./reduce.ts";
import { concat, reshape, slice } from "./shape.ts";

interface Attention {
  readonly heads: number;
  /** Most numbers of softmax(QᵀK) that are held at a time; one query of one head is held in any case. */
  readonly chunkSize: number;
}

/** 8 MB: products at full speed, and few chunks. */
const CHUNK_SIZE = 2 ** 21;

/** Some heads of all pictures, and the queries of theirs that are worked on at a time. */
interface Chunk {
  readonly heads: readonly [number, number];
  readonly queries: readonly [number, number];
}

const ranges = (side: number, most: number): (readonly [number, number])[] =>
  Array.from({ length: Math.ceil(side / most) }, (_, at) => [at * most, Math.min(side, (at + 1) * most)]);

/** Whole heads while they are small enough, otherwise some queries of one head: one list for each group of heads. */
function chunksOf([q, k]: readonly Node[], { heads, chunkSize }: Attention): Chunk[][] {
  const [queries, keys] = [q!.shape[2]!, k!.shape[2]!];
  const together = Math.max(1, Math.floor(chunkSize / (queries * keys)));
  const most = Math.max(1, Math.floor(chunkSize / keys));
  return ranges(q!.shape[0]! * heads, together).map((group) =>
    ranges(queries, most).map((part) => ({ heads: group, queries: part })),
  );
}

/** Whether the whole matrix is one chunk: then it is kept for the way back, which shares it with the way there. */
const isWhole = (chunks: readonly (readonly Chunk[])[]): boolean => chunks.length === 1 && chunks[0]!.length === 1;

/** Every head as a row of its own: [N, H·D, T] to [N·H, D, T]. */
const split = (x: Node, heads: number): Node => reshape(x, [x.shape[0]! * heads, x.shape[1]! / heads, x.shape[2]!]);

const headsOf = (x: Node, [from, to]: readonly [number, number]): Node => slice(x, [from], [to]);
const queriesOf = (x: Node, [from, to]: readonly [number, number]): Node =>
  slice(x, [0, 0, from], [x.shape[0]!, x.shape[1]!, to]);

/** 1/√D */
const scaleOf = ({ shape }: Node, { heads }: Attention): number => (shape[1]! / heads) ** -0.5;

/** The queries by head, times 1/√D. */
const scaled = (q: Node, attributes: Attention): Node => mul(split(q, attributes.heads), scaleOf(q, attributes));

/** softmax(QᵀK): [B, D, T] and [B, D, S] to [B, T, S], each row of sum 1. */
const shares = (q: Node, k: Node): Node => softmax(matmul(q, k, { transposeA: true }));

/** The output in other ops, chunk by chunk. */
function form(inputs: readonly Node[], attributes: Attention): Node {
  const { heads } = attributes;
  const [q, k, v] = [scaled(inputs[0]!, attributes), split(inputs[1]!, heads), split(inputs[2]!, heads)];
  const seen = chunksOf(inputs, attributes).map((parts) => {
    const [own, keys, values] = [q, k, v].map((x) => headsOf(x!, parts[0]!.heads));
    return concat(
      parts.map(({ queries }) => matmul(values!, shares(queriesOf(own!, queries), keys!), { transposeB: true })),
      2,
    );
  });
  return reshape(concat(seen, 0), [inputs[0]!.shape[0]!, inputs[2]!.shape[1]!, inputs[0]!.shape[2]!]);
}

/** Writes what a graph over an op's inputs computes, in place of the op. */
function emitForm(emit: Emit, root: Node, given: ReadonlyMap<Node, string>): string {
  const names = new Map(given);
  for (const node of topological([root], given.keys()))
    names.set(
      node,
      node.op.onnx(
        emit,
        node.inputs.map((input) => names.get(input)!),
        node,
      ),
    );
  return names.get(root)!;
}

/**
 * ONNX Runtime's own kernel, which holds no matrix either and takes half to nine tenths of the time of chunks.
 * Positions first.
 */
function emitKernel(emit: Emit, names: readonly string[], { heads }: Attention): string {
  const turned = (name: string): string => emit.node("Transpose", [name], { perm: [0, 2, 1] });
  return turned(emit.node("MultiHeadAttention", names.map(turned), { num_heads: heads }, "com.microsoft"));
}

/** What the gradients of some heads and queries are made of, all [B, channels, positions]. */
interface Part {
  /** Scaled. */
  readonly q: Node;
  readonly k: Node;
  readonly v: Node;
  readonly y: Node;
  readonly dy: Node;
}

/** A chunk of all there is. @param late makes a value wait for the chunk before */
const partOf = ({ q, k, v, y, dy }: Part, { heads, queries }: Chunk, late: (x: Node) => Node): Part => {
  const pick = (x: Node): Node => queriesOf(headsOf(x, heads), queries);
  return { q: late(pick(q)), k: headsOf(k, heads), v: headsOf(v, heads), y: pick(y), dy: late(pick(dy)) };
};

/**
 * Gradients by the queries, keys and values of a chunk, whose matrix is made again.
 * Dao et al. 2022, https://arxiv.org/abs/2205.14135, appendix B.2: the rows of dP ∘ P sum to dy · y.
 */
function slopes({ q, k, v, y, dy }: Part): readonly [Node, Node, Node] {
  const p = shares(q, k); // [B, T, S]
  const along = reshape(sum(mul(dy, y), [1]), [dy.shape[0]!, dy.shape[2]!, 1]);
  const dScores = mul(p, sub(matmul(dy, v, { transposeA: true }), along)); // [B, T, S]
  return [matmul(k, dScores, { transposeB: true }), matmul(q, dScores), matmul(dy, p)];
}

/**
 * Gradients by the scaled queries, the keys and the values of all heads; a chunk begins when the one before is done
 * with.
 */
function backward(dy: Node, y: Node<Attention>): Node[] {
  const { inputs, attributes } = y;
  const [k, v, ...ends] = [inputs[1]!, inputs[2]!, y, dy].map((x) => split(x, attributes.heads)) as [
    Node,
    Node,
    Node,
    Node,
  ];
  const all: Part = { q: scaled(inputs[0]!, attributes), k, v, y: ends[0], dy: ends[1] };
  const groups = chunksOf(inputs, attributes);
  let before = dy;
  const late = (x: Node): Node => (isWhole(groups) ? x : after(x, before));
  const made = groups.map((chunks) => {
    const queries: Node[] = [];
    let sums: readonly Node[] = [];
    for (const chunk of chunks) {
      const [dq, ...rest] = slopes(partOf(all, chunk, late));
      const held = sums;
      sums = rest.map((slope, at) => (held[at] ? add(held[at], slope) : slope));
      before = allOf([dq, ...sums]);
      queries.push(dq);
    }
    return [concat(queries, 2), ...sums];
  });
  return [0, 1, 2].map((at) =>
    concat(
      made.map((group) => group[at]!),
      0,
    ),
  );
}

const example = (
  n: number,
  [c, e]: readonly [number, number],
  [t, s]: readonly [number, number],
  attributes: Attention,
): Example<Attention> => ({
  inputs: [
    [n, c, t],
    [n, c, s],
    [n, e, s],
  ],
  attributes,
});

/** Softmax of a row of numbers. */
function weigh(scores: readonly number[]): number[] {
  const top = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - top));
  const total = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / total);
}

function reference([q, k, v]: readonly NDArray[], { shape, attributes: { heads } }: Node<Attention>): Float64Array {
  const [batch, , queries] = shape as readonly [number, number, number];
  const keys = k!.shape[2]!;
  const [depth, width] = [q!.shape[1]! / heads, shape[1]! / heads];
  const out = new Float64Array(sizeOf(shape));
  for (let head = 0; head < batch * heads; head++)
    for (let t = 0; t < queries; t++) {
      const scores = Array.from({ length: keys }, (_, s) => {
        let product = 0;
        for (let d = 0; d < depth; d++)
          product += q!.data[(head * depth + d) * queries + t]! * k!.data[(head * depth + d) * keys + s]!;
        return product / Math.sqrt(depth);
      });
      for (const [s, share] of weigh(scores).entries())
        for (let e = 0; e < width; e++)
          out[(head * width + e) * queries + t]! += share * v!.data[(head * width + e) * keys + s]!;
    }
  return out;
}

/** softmax(QᵀK/√D) · Vᵀ for each head, channels before positions. */
export const attentionOp = defineOp<Attention>({
  name: "attention",
  receptive: () => "all", // every query looks at all keys
  shape(inputs, { heads }) {
    const [q, k, v] = inputs as readonly [Node, Node, Node];
    if (inputs.some(({ shape }) => shape.length !== 3 || shape[0] !== q.shape[0]))
      throw misfit("attention", inputs, "expected [N, channels, positions] three times, of one N");
    if (q.shape[1] !== k.shape[1]) throw misfit("attention", inputs, "queries and keys differ in their channels");
    if (k.shape[2] !== v.shape[2]) throw misfit("attention", inputs, "keys and values differ in their positions");
    if ([q, v].some(({ shape }) => shape[1]! % heads !== 0))
      throw misfit("attention", inputs, `the channels are no multiple of ${heads} heads`);
    return [q.shape[0]!, v.shape[1]!, q.shape[2]!];
  },
  gradient(dy, y) {
    const [dq, dk, dv] = backward(dy, y).map((slope, at) => reshape(slope, y.inputs[at]!.shape));
    return [mul(dq!, scaleOf(y.inputs[0]!, y.attributes)), dk, dv];
  },
  onnx(emit, names, { inputs, attributes }) {
    if (emit.target === "cpu" && !isWhole(chunksOf(inputs, attributes))) return emitKernel(emit, names, attributes);
    return emitForm(emit, form(inputs, attributes), new Map(inputs.map((input, at) => [input, names[at]!])));
  },
  reference,
  examples: [
    example(1, [2, 3], [4, 5], { heads: 1, chunkSize: CHUNK_SIZE }),
    example(2, [4, 4], [3, 3], { heads: 2, chunkSize: CHUNK_SIZE }),
    example(2, [4, 2], [3, 2], { heads: 2, chunkSize: 12 }),
    example(1, [4, 4], [5, 3], { heads: 2, chunkSize: 6 }),
  ],
});

export interface AttentionOptions {
  /** Parts of the channels that each look by themselves; 1 when absent. */
  readonly heads?: number;
}

/**
 * Scaled dot-product attention: every query takes the mean of the values, weighted by how well their keys fit it.
 * Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, section 3.2, with heads side by side in the channels. The
 * whole matrix of weights is never held where it is large: it is made in chunks, and made again on the way back.
 * @param q queries [N, H·D, T] @param k keys [N, H·D, S] @param v values [N, H·E, S]
 * @returns [N, H·E, T]
 */
export const attention = (q: Node, k: Node, v: Node, { heads = 1 }: AttentionOptions = {}): Node =>
  attentionOp([q, k, v], { heads, chunkSize: CHUNK_SIZE });
