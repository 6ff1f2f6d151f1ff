import { type BenchRow, bench, benchOptions } from "../../tasks/bench.ts";
import { alignedTable } from "../../tasks/report.ts";
import { defineCommand, jsonOption, runtimeChoice, runtimeOptions } from "../command.ts";
import { exit } from "../exit.ts";
import { printJson } from "../io.ts";

const cells = ({ workload, kind, ms, worstMs, sessionMs, firstMs }: BenchRow): string[] => [
  workload,
  kind,
  ...[ms, worstMs, sessionMs, firstMs].map((value) => value.toFixed(2)),
];

export const benchCommand = defineCommand({
  name: "bench",
  summary: `Time training steps and forward passes on this machine, in milliseconds.
(npm run bench, in a checkout, compares with PyTorch.)`,
  arguments: [],
  options: benchOptions.extend({ ...runtimeOptions, ...jsonOption }),
  examples: ["imago bench", "imago bench --only srcnn --runtime wasm --threads 2"],
  async run(_, { json, runtime: name, threads, ...options }, { io, platform }) {
    const runtime = await platform.runtime(runtimeChoice({ runtime: name, threads }));
    const rows: BenchRow[] = [];
    try {
      for await (const row of bench(options, runtime, io.signal)) {
        rows.push(row);
        io.err(`${row.workload} ${row.kind}: ${row.ms.toFixed(2)} ms\n`);
      }
    } finally {
      await runtime.dispose();
    }
    if (json) printJson(io, { runtime: runtime.name, threads: runtime.threads, rows });
    else io.out(`${alignedTable(["workload", "kind", "median", "worst", "session", "first"], rows.map(cells))}\n`);
    return exit.done;
  },
});
