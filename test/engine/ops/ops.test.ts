import * as node from "onnxruntime-node";
import * as web from "onnxruntime-web";
import { describe, expect, test } from "vitest";
import type { Op } from "../../../src/engine/graph/node.ts";
import * as all from "../../../src/engine/ops/index.ts";
import { evaluate } from "../../../src/engine/runtime/evaluate.ts";
import { type Case, caseOf, centralDifferences, deviations, distance, type Ort } from "../support.ts";

const { ops } = all;
const casesOf = (op: Op): Case[] => op.examples.map((example, index) => caseOf(op, example, `e${index}.`));
const tested = ops.filter((op) => op.examples.length > 0).map((op) => ({ name: op.name, cases: casesOf(op) }));

test("every row of the rooms is in the list of ops, once", () => {
  const rows = Object.entries(all).flatMap(([name, made]) => (name.endsWith("Op") ? [(made as { row: Op }).row] : []));
  expect(new Set(ops)).toEqual(new Set(rows));
  expect(ops.length).toBe(rows.length);
  expect(new Set(ops.map(({ name }) => name)).size).toBe(ops.length);
});

describe.each(tested)("$name", ({ cases }) => {
  const differentiable = cases.filter(({ orders }) => orders.length > 0);

  test.runIf(differentiable.length > 0)("gradients of both orders equal central differences", () => {
    for (const { title, values, orders } of differentiable)
      orders.forEach(({ of, wrt, gradients }, order) => {
        const analytic = evaluate(gradients, values);
        const numeric = centralDifferences(of, wrt, values);
        analytic.forEach(({ data }, k) => {
          expect(distance(data, numeric[k]!.data), `${title}: order ${order + 1}, input ${k}`).toBeLessThan(1e-6);
        });
      });
  });

  test("ONNX Runtime on the CPU equals the reference", async () => {
    const found = await deviations(node as unknown as Ort, cases, "cpu", { intraOpNumThreads: 1 });
    expect(found.filter((one) => !(one.distance < 1e-5))).toEqual([]);
  });

  test("the standard ops of a model file equal the reference", async () => {
    const found = await deviations(node as unknown as Ort, cases, "file", { intraOpNumThreads: 1 });
    expect(found.filter((one) => !(one.distance < 1e-5))).toEqual([]);
  });

  test("ONNX Runtime in WebAssembly equals the reference", async () => {
    web.env.wasm.numThreads = 1;
    const found = await deviations(web as unknown as Ort, cases, "wasm", {});
    expect(found.filter((one) => !(one.distance < 1e-5))).toEqual([]);
  });
});
