import { expect, test } from "vitest";
import { csv, geometricMeans, meansLine, table } from "../../bench/report.mjs";
import { chart } from "../../scripts/chart.mjs";

const step = {
  workload: "a",
  kind: "step",
  imagoMs: 10,
  pytorchMs: 20,
  ratio: 0.5,
  imagoPeakMB: 90,
  pytorchPeakMB: 10,
};
const slow = { workload: "b", kind: "step", imagoMs: 16, pytorchMs: 2, ratio: 8, imagoPeakMB: 4, pytorchPeakMB: 1 };
const alone = { workload: "c", kind: "inference", imagoMs: 4, pytorchMs: null, ratio: null, imagoPeakMB: 7, pytorchPeakMB: null }; // biome-ignore format: one line
const rows = [step, slow, alone];
const variant = { ...slow, workload: "stylegan2-r1" };

test("means are geometric, over the workloads that have a peer, each once", () => {
  expect(geometricMeans([...rows, variant])).toEqual([
    { name: "step", mean: expect.closeTo(2), count: 2 },
    { name: "peak memory of a step", mean: expect.closeTo(6), count: 2 },
  ]);
  expect(meansLine(rows)).toContain("step 2.00 (2), peak memory of a step 6.00 (2)");
  expect(meansLine([alone])).toBe("");
});

test("a table has the columns that some row fills, and says what other libraries take", () => {
  const [head, , first, , last] = table([{ ...step, tfjsMs: 351 }, slow, { ...alone, tfjsMs: null, tfjsAtLeastMs: 60_000 }]).split("\n"); // biome-ignore format: one line
  expect(head).toBe("| workload | what | Imago ms | PyTorch ms | ratio | Imago peak MB | PyTorch peak MB | tfjs ms |");
  expect(first).toBe("| a | step | 10.0 | 20.0 | 0.50 | 90 | 10 | 351 (35×) |");
  expect(last).toBe("| c | inference | 4.0 | – | – | 7 | – | > 60000 (15000×) |");
});

test("CSV has every field, and quotes what it must", () => {
  const lines = csv([step, { ...alone, cpu: 'x, "y"' }]).split("\n");
  expect(lines[0]).toBe("workload,kind,imagoMs,pytorchMs,ratio,imagoPeakMB,pytorchPeakMB,cpu");
  expect(lines[1]).toBe("a,step,10,20,0.5,90,10,");
  expect(lines[2]).toBe('c,inference,4,,,7,,"x, ""y"""');
  expect(lines[3]).toBe("");
});

test("the picture has two bars for each row with a peer, in proportion", () => {
  const svg = chart(rows, "A & B");
  const bars = [...svg.matchAll(/<rect x="170" y="\d+" width="([\d.]+)" height="15"/g)].map(([, width]) =>
    Number(width),
  );
  expect(bars.map((width) => width / bars[1]!)).toEqual([0.5, 1, 8, 1].map((share) => expect.closeTo(share, 1)));
  expect(svg).toContain("A &amp; B");
});
