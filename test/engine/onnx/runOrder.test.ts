import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { OnnxNode } from "../../../src/engine/onnx/emitter.ts";
import { orderForRuntime } from "../../../src/engine/onnx/runOrder.ts";
import { encode } from "../../../src/engine/onnx/write.ts";
import { temporaryFolder } from "../../tasks/support.ts";

const node = (output: string, ...inputs: string[]): OnnxNode =>
  ({ op: "Sum", domain: "", name: output, inputs, outputs: [output], attributes: {} }); // biome-ignore format: one line

/** How ONNX Runtime orders what it runs: back from the end written last, always to the input written last first. */
function runOrder(written: readonly OnnxNode[]): string[] {
  const place = new Map(written.map(({ name }, at) => [name, at]));
  const read = new Set(written.flatMap(({ inputs }) => inputs));
  const ran: string[] = [];
  const visit = (at: number): void => {
    const { name, inputs } = written[at]!;
    if (ran.includes(name)) return;
    const known = inputs.flatMap((input) => place.get(input) ?? []);
    for (const input of known.sort((a, b) => b - a)) visit(input);
    ran.push(name);
  };
  for (const end of [...written.keys()].reverse()) if (!read.has(written[end]!.name)) visit(end);
  return ran;
}

/** Three layers there (y) and back (d), a weight gradient (w) each, all of them joined. */
const chain = [
  ...[node("y1", "x"), node("y2", "y1"), node("y3", "y2"), node("loss", "y3")],
  ...[node("d3", "y3"), node("w3", "d3", "y2"), node("d2", "d3", "y2"), node("w2", "d2", "y1"), node("d1", "d2", "y1")],
  ...[node("w1", "d1", "x"), node("all", "w3", "w2", "w1")],
];

test("ONNX Runtime runs nodes in the order that was asked for", () => {
  const names = chain.map(({ name }) => name);
  expect(runOrder(orderForRuntime(chain, ["loss", "all"]))).toEqual(names);
  expect(runOrder(chain)).not.toEqual(names); // as it would on its own: d1 before w3
});

test("an end that others read is written once, where they need it, and starts no walk of its own", () => {
  const names = chain.map(({ name }) => name);
  const ends = ["y2", "loss", "w2", "all"];
  expect(runOrder(orderForRuntime(chain, ends))).toEqual(names);
  expect(orderForRuntime(chain, ends)).toEqual(orderForRuntime(chain, ["loss", "all"]));
});

/** The same from its own profile; unoptimized, since what it fuses it puts elsewhere. */
async function ranByItself(nodes: readonly OnnxNode[], ends: readonly string[]): Promise<string[]> {
  const ort = await import("onnxruntime-node");
  const folder = await temporaryFolder();
  const end = (name: string) => ({ name, dtype: "float32", shape: [1] }) as const;
  const model = encode({ nodes, constants: [], inputs: [end("x")], outputs: ends.map(end) });
  const session = await ort.InferenceSession.create(model, {
    graphOptimizationLevel: "disabled",
    enableProfiling: true,
    profileFilePrefix: join(folder, "trace"),
  });
  await session.run({ x: new ort.Tensor("float32", [1], [1]) });
  session.endProfiling();
  await session.release();
  const text = await readFile(join(folder, (await readdir(folder))[0]!), "utf8");
  const events = JSON.parse(text) as { cat: string; name: string }[];
  return events.filter(({ cat }) => cat === "Node").map(({ name }) => name.replace("_kernel_time", ""));
}

test.each([
  ["where ends are read by none", ["loss", "all"]],
  ["where others read some", ["y2", "loss", "w2", "all"]],
])("the walk of this test is ONNX Runtime's own %s", async (_, ends) => {
  for (const nodes of [chain, orderForRuntime(chain, ends)])
    expect(await ranByItself(nodes, ends)).toEqual(runOrder(nodes));
});

test("every node comes after those it reads, and what no end needs is left out", () => {
  const written = orderForRuntime([...chain, node("unused", "y1")], ["loss", "all"]);
  expect(written.map(({ name }) => name).sort()).toEqual(chain.map(({ name }) => name).sort());
  written.forEach(({ inputs }, at) => {
    for (const input of inputs)
      expect(input === "x" || written.slice(0, at).some(({ name }) => name === input)).toBe(true);
  });
});
