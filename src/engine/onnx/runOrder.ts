import type { OnnxNode } from "./emitter.ts";

/**
 * The nodes that some end of the graph needs, written in such an order that ONNX Runtime runs them in the order given,
 * as far as it lets itself be led. It keeps no order of a file: it walks back from the ends and goes first to the input
 * that was written last (`GraphViewer`, a depth-first search). So the same walk, later nodes first, writes them the
 * other way round. Left to itself it runs weight gradients after the last input gradient, and the gradient of every
 * activation waits in memory.
 * @param ends names of the graph's outputs
 */
export function orderForRuntime(nodes: readonly OnnxNode[], ends: readonly string[]): OnnxNode[] {
  const place = new Map(nodes.flatMap(({ outputs }, at) => outputs.map((name) => [name, at] as const)));
  const latestFirst = (names: readonly string[]): number[] =>
    [...new Set(names.flatMap((name) => place.get(name) ?? []))].sort((a, b) => b - a);
  const written: OnnxNode[] = [];
  const seen = new Set<number>();
  for (const end of latestFirst(ends)) {
    if (seen.has(end)) continue; // read by another one
    seen.add(end);
    const stack = [{ at: end, inputs: latestFirst(nodes[end]!.inputs) }];
    while (stack.length > 0) {
      const top = stack.at(-1)!;
      const input = top.inputs.shift();
      if (input === undefined) {
        written.push(nodes[top.at]!);
        stack.pop();
      } else if (!seen.has(input)) {
        seen.add(input);
        stack.push({ at: input, inputs: latestFirst(nodes[input]!.inputs) });
      }
    }
  }
  return written;
}
