import { option, userError } from "../../errors.ts";
import { type Node, topological } from "../graph/node.ts";
import { backwardScope } from "../graph/scope.ts";
import { after, allOf, blockOp } from "../ops/after.ts";
import { constant } from "../ops/leaf.ts";
import { zerosLike } from "../ops/shape.ts";
import { type GradientRule, ownRule, substitute, walkBack } from "./gradient.ts";

const isBlock = (node: Node): node is Node<{ readonly count: number }> => node.op === blockOp.row;

/**
 * The gradient of a block goes through a copy of it, made of the block's inputs once the gradient has arrived and the
 * block before this one is done with: one at a time is held.
 */
function recomputing(): GradientRule {
  let before: Node | undefined;
  const rule: GradientRule = (dy, node) => {
    if (!isBlock(node)) return ownRule(dy, node);
    const [y, ...read] = node.inputs as readonly [Node, ...Node[]];
    const ready = before ? allOf([dy, before]) : dy;
    const wrt = read.map((input, at) => (at < node.attributes.count ? after(input, ready) : input));
    const [copy] = substitute([y], new Map(read.map((input, at) => [input, wrt[at]!])), backwardScope);
    const slopes = walkBack(topological([copy!], wrt), { wrt, upstream: dy, rule });
    before = allOf(slopes.filter((slope) => slope !== undefined));
    return [undefined, ...slopes];
  };
  return rule;
}

/**
 * As `gradient` of a scalar, but what lies inside blocks is computed again on the way back and need not be kept: the
 * memory of one block at a time, for one more forward pass. Chen et al. 2016, https://arxiv.org/abs/1604.06174, with
 * blocks chosen by the model.
 * @throws UserError for a graph that marks no blocks
 */
export function rematGradient(of: Node, wrt: readonly Node[]): Node[] {
  const order = topological([of]);
  if (!order.some(isBlock))
    throw userError(
      option("remat"),
      "expected a network that marks blocks to recompute, got one without",
      "Leave it out.",
    );
  const upstream = constant([1], of.shape);
  return walkBack(order, { wrt, upstream, rule: recomputing() }).map((node, at) => node ?? zerosLike(wrt[at]!));
}
