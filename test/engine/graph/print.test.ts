import { expect, test } from "vitest";
import { constant, gather, gradient, input, print, square, sum } from "../../../src/engine/index.ts";
import { srcnn } from "../../../src/models/srcnn.ts";
import { mse } from "../../../src/nn/losses.ts";
import { network } from "../../../src/nn/model.ts";

const net = network(srcnn, { features: 2, mapped: 2, kernels: [5, 1, 3] });

test("a network: leaves by name, ops with their operands, shapes and layer paths", () => {
  expect(print(net(input("x", [1, 1, 8, 6])))).toMatchInlineSnapshot(`
    "%0 = input "x" [1, 1, 8, 6]
    %1 = sub(%0, 0.45) [1, 1, 8, 6] srcnn › sub
    %2 = parameter "srcnn/extract.weight" [2, 1, 5, 5] srcnn › extract › weight
    %3 = parameter "srcnn/extract.bias" [2] srcnn › extract › bias
    %4 = convolution(%1, %2, %3) [1, 2, 8, 6] srcnn › extract › conv2d
    %5 = relu(%4) [1, 2, 8, 6] srcnn › extract › relu
    %6 = parameter "srcnn/map.weight" [2, 2, 1, 1] srcnn › map › weight
    %7 = parameter "srcnn/map.bias" [2] srcnn › map › bias
    %8 = convolution(%5, %6, %7) [1, 2, 8, 6] srcnn › map › conv2d
    %9 = relu(%8) [1, 2, 8, 6] srcnn › map › relu
    %10 = parameter "srcnn/rebuild.weight" [1, 2, 3, 3] srcnn › rebuild › weight
    %11 = parameter "srcnn/rebuild.bias" [1] srcnn › rebuild › bias
    %12 = convolution(%9, %10, %11) [1, 1, 8, 6] srcnn › rebuild › conv2d
    %13 = add(%12, 0.45) [1, 1, 8, 6] srcnn › rebuild › add"
  `);
});

test("its gradient: marked by ′ on the path of the layer", () => {
  const small = network(srcnn, { features: 1, mapped: 1, kernels: [1, 1, 1] });
  const loss = mse(small(input("x", [1, 1, 2, 2])), input("target", [1, 1, 2, 2]));
  expect(print(loss, ...gradient(loss, small.parameters().slice(0, 2)))).toMatchInlineSnapshot(`
    "%0 = input "x" [1, 1, 2, 2]
    %1 = sub(%0, 0.45) [1, 1, 2, 2] srcnn › sub
    %2 = parameter "srcnn/extract.weight" [1, 1, 1, 1] srcnn › extract › weight
    %3 = parameter "srcnn/extract.bias" [1] srcnn › extract › bias
    %4 = convolution(%1, %2, %3) [1, 1, 2, 2] srcnn › extract › conv2d
    %5 = relu(%4) [1, 1, 2, 2] srcnn › extract › relu
    %6 = parameter "srcnn/map.weight" [1, 1, 1, 1] srcnn › map › weight
    %7 = parameter "srcnn/map.bias" [1] srcnn › map › bias
    %8 = convolution(%5, %6, %7) [1, 1, 2, 2] srcnn › map › conv2d
    %9 = relu(%8) [1, 1, 2, 2] srcnn › map › relu
    %10 = parameter "srcnn/rebuild.weight" [1, 1, 1, 1] srcnn › rebuild › weight
    %11 = parameter "srcnn/rebuild.bias" [1] srcnn › rebuild › bias
    %12 = convolution(%9, %10, %11) [1, 1, 2, 2] srcnn › rebuild › conv2d
    %13 = add(%12, 0.45) [1, 1, 2, 2] srcnn › rebuild › add
    %14 = input "target" [1, 1, 2, 2]
    %15 = sub(%13, %14) [1, 1, 2, 2]
    %16 = square(%15) [1, 1, 2, 2]
    %17 = mean(%16) []
    %18 = mul(1, 0.25) [] ′
    %19 = reshape(%18) [1, 1, 1, 1] ′
    %20 = mul(%19, 2) [1, 1, 1, 1] ′
    %21 = mul(%20, %15) [1, 1, 2, 2] ′
    %22 = convolutionInput(%21, %10) [1, 1, 2, 2] srcnn › rebuild › conv2d ′
    %23 = gate(%22, %9) [1, 1, 2, 2] srcnn › map › relu ′
    %24 = convolutionInput(%23, %6) [1, 1, 2, 2] srcnn › map › conv2d ′
    %25 = gate(%24, %5) [1, 1, 2, 2] srcnn › extract › relu ′
    %26 = convolutionWeight(%1, %25) [1, 1, 1, 1] srcnn › extract › conv2d ′
    %27 = sum(%25) [1] srcnn › extract › conv2d ′"
  `);
});

test("other element types are named, single numbers stand in place, a lone constant has a line", () => {
  const rows = gather(constant([1, 2, 3], [3]), input("index", [2], { dtype: "int64" }));
  expect(print(sum(square(rows)), constant([4]))).toMatchInlineSnapshot(`
    "%0 = constant [3]
    %1 = input "index" int64 [2]
    %2 = gather(%0, %1) [2]
    %3 = square(%2) [2]
    %4 = sum(%3) []
    %5 = constant []"
  `);
});
