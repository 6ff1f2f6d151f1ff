import { expect, test } from "vitest";
import type { ProfileRow } from "../../src/engine/index.ts";
import { profileText } from "../../src/report/profile.ts";

const row = (path: string, phase: ProfileRow["phase"], op: string, ms: number): ProfileRow => ({
  path,
  phase,
  op,
  ms,
  kind: phase === "update" ? "optimizer" : op === "Conv" ? "arithmetic" : "data movement",
});
const profiled = (rows: readonly ProfileRow[]) => ({
  steps: 200,
  medianMs: 20,
  worstMs: 30,
  waiting: 0.0125,
  peakMB: 256.4,
  profiled: { ms: 40, waitingMs: 1, aroundMs: 3, runtime: { runs: 20, ms: 36, rows } },
});

test("kinds and layers with forward and backward apart, what is outside of kernels, and how even the steps are", () => {
  const rows = [
    row("net/a", "forward", "Conv", 4),
    row("net/a", "backward", "Conv", 8),
    row("net/b", "backward", "Pad", 16),
    row("net", "update", "Mul", 5),
  ];
  expect(profileText(profiled(rows))).toMatchInlineSnapshot(`
    "kind                forward ms  backward ms     ms  share %
    data movement                –        16.00  16.00     40.0
    arithmetic                4.00         8.00  12.00     30.0
    optimizer                    –            –   5.00     12.5
    between kernels              –            –   3.00      7.5
    around the runtime           –            –   3.00      7.5
    waiting for data             –            –   1.00      2.5
    the whole step               –            –  40.00    100.0

    layer           forward ms  backward ms     ms  share %
    net/b                    –        16.00  16.00     40.0
    net/a                 4.00         8.00  12.00     30.0
    net: optimizer           –            –   5.00     12.5

    200 steps without the profiler: median 20.00 ms, worst 30.00 ms (1.50 × the median)
    waiting for data 1.3 % of the time, peak memory of the process 256 MB"
  `);
});

test("layers beyond the 24 that take most share a line", () => {
  const rows = Array.from({ length: 30 }, (_, at) => row(`net/${at}`, "forward", "Conv", 30 - at));
  const lines = profileText(profiled(rows)).split("\n\n")[1]!.split("\n");
  expect(lines).toHaveLength(1 + 24 + 1);
  expect(lines[24]).toMatch(/^net\/23 +7\.00 +– +7\.00/);
  expect(lines[25]).toMatch(/^6 others +21\.00 +– +21\.00/);
});
