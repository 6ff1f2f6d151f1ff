import { expect, test } from "vitest";
import { compileFunction, input, type Node } from "../../src/engine/index.ts";
import { referenceRuntime } from "../../src/engine/runtime/reference.ts";
import { ranges as nodes } from "../../src/nn/range.ts";
import { rangeNames, ranges } from "../../src/tensor/range.ts";
import { tensor } from "../../src/tensor/tensor.ts";

test.each(rangeNames)("range %s as nodes says the same as in numbers, both ways", async (range) => {
  const values = Float64Array.from({ length: 12 }, (_, i) => i / 11);
  const x = input("x", [1, 3, 2, 2]);
  const run = async (make: (x: Node) => Node) => {
    const executable = await compileFunction({ y: make(x) }, { runtime: referenceRuntime(), weights: {} });
    return (await executable.run({ x: tensor(Float32Array.from(values), [1, 3, 2, 2]) })).y!.data;
  };
  const [there, back] = [await run(nodes[range].of), await run(nodes[range].back)];
  values.forEach((value, i) => {
    const plane = Math.floor(i / 4);
    expect(Number(there[i])).toBeCloseTo(ranges[range].of(value, plane), 4);
    expect(Number(back[i])).toBeCloseTo(ranges[range].back(value, plane), 6);
  });
});
