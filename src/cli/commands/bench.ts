import { z } from "zod";
import { alignedTable } from "../../report/evaluation.ts";
import { profileText } from "../../report/profile.ts";
import { type BenchRow, benchOptions, benchTask, chosenWorkloads } from "../../tasks/bench/bench.ts";
import { profileWorkload } from "../../tasks/bench/profile.ts";
import { resultOf, type TaskTools, withTools } from "../../tasks/common/task.ts";
import type { StepProfile } from "../../train/profile.ts";
import { type Context, defineCommand, jsonOption, runtimeChoice, runtimeOptions } from "../command.ts";
import { exit } from "../exit.ts";
import { printJson } from "../io.ts";

const options = benchOptions.extend({
  ...runtimeOptions,
  profile: z.boolean().default(false).describe("print where the time of each workload's step goes instead"),
  ...jsonOption,
});
type Wanted = Pick<z.output<typeof options>, "only" | "rounds" | "json">;

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
  options,
  examples: [
    "imago bench",
    "imago bench --only srcnn --runtime wasm --threads 2",
    "imago bench --only dcgan --profile",
  ],
  async run(_, { runtime: name, threads, profile, ...wanted }, context) {
    const { io, platform } = context;
    await withTools(platform, { ...runtimeChoice({ runtime: name, threads }), signal: io.signal }, (tools) =>
      (profile ? tellProfiles : tellTimes)(wanted, tools, context),
    );
    return exit.done;
  },
});

async function tellTimes({ json, ...wanted }: Wanted, tools: TaskTools, { io }: Context): Promise<void> {
  const rows = await resultOf(benchTask.run(undefined, wanted, tools), ({ row }) =>
    io.err(`${row.workload} ${row.kind}: ${row.ms.toFixed(2)} ms\n`),
  );
  const runtime = await tools.runtime.get();
  if (json) printJson(io, { runtime: runtime.name, threads: runtime.threads, rows });
  else io.out(`${alignedTable(["workload", "kind", "median", "worst", "session", "first"], rows.map(cells))}\n`);
}

async function tellProfiles({ only, rounds, json }: Wanted, tools: TaskTools, { io, platform }: Context) {
  const runtime = await tools.runtime.get();
  const profiles: (StepProfile & { readonly workload: string })[] = [];
  const hooks = { runtime, steps: rounds, peakMB: platform.peakMB, signal: io.signal };
  for (const workload of chosenWorkloads(only)) {
    const profile = await profileWorkload(workload, hooks);
    profiles.push({ workload: workload.name, ...profile });
    if (!json) io.out(`${workload.summary}\n\n${profileText(profile)}\n\n`);
  }
  if (json) printJson(io, { runtime: runtime.name, threads: runtime.threads, profiles });
}
