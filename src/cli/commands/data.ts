import { z } from "zod";
import { catalog } from "../../data/catalog.ts";
import { findDataSet, type PullTick, pull } from "../../data/download.ts";
import { userError } from "../../errors.ts";
import { alignedTable } from "../../report/evaluation.ts";
import { type Context, defineCommand, jsonOption } from "../command.ts";
import { exit } from "../exit.ts";
import { printJson, statusLine } from "../io.ts";

const bytesOf = (name: string): number => findDataSet(name).downloads.reduce((sum, { bytes }) => sum + bytes, 0);
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;

function list(json: boolean, { io }: Context): number {
  if (json) printJson(io, { dataSets: catalog });
  else
    io.out(
      `${alignedTable(
        ["name", "size", "content", "terms"],
        catalog.map(({ name, summary, terms }) => [name, megabytes(bytesOf(name)), summary, terms]),
      )}\n`,
    );
  return exit.done;
}

const progress = ({ kind, file, done, total }: PullTick): string =>
  kind === "fetch" ? `${file}  ${megabytes(done)} of ${megabytes(total)}` : `${kind} ${file}  ${done}/${total}`;

async function fetchSet(name: string, folder: string, json: boolean, { io, platform }: Context): Promise<number> {
  const dataSet = findDataSet(name);
  const { unzip } = await import("../../platform/unzip.ts");
  const status = statusLine(io);
  io.err(`${dataSet.name}: ${dataSet.summary}. Terms: ${dataSet.terms}. ${dataSet.page}\n`);
  try {
    for await (const tick of pull(dataSet, folder, { files: platform.files, unzip, signal: io.signal }))
      status.show(progress(tick));
  } finally {
    status.clear();
  }
  const path = `${folder}/${name}`;
  if (json) printJson(io, { name, path });
  else io.out(`${path}\n`);
  return exit.done;
}

export const dataCommand = defineCommand({
  name: "data",
  summary: "List the data sets that can be fetched, or fetch one.",
  arguments: [
    { name: "verb", description: "list (unless given) or pull", isRequired: false },
    { name: "name", description: "for pull: the data set", isRequired: false },
  ],
  options: z.object({
    output: z
      .string()
      .min(1)
      .default("data")
      .describe("folder that the data set's folder is put into")
      .meta({ short: "o", placeholder: "folder" }),
    ...jsonOption,
  }),
  examples: ["imago data", "imago data pull mnist"],
  async run([verb = "list", name], { output, json }, context) {
    if (verb === "list" && name === undefined) return list(json, context);
    if (verb !== "pull") throw userError("imago data", `expected list or pull, got "${name ?? verb}"`);
    if (name === undefined)
      throw userError("imago data pull", `expected one of ${catalog.map((one) => one.name).join(", ")}, got none`);
    return fetchSet(name, output.replace(/(?<=.)\/+$/, ""), json, context);
  },
});
