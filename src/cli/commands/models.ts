import { z } from "zod";
import { userError } from "../../errors.ts";
import { type Context, defineCommand, jsonOption } from "../command.ts";
import { exit } from "../exit.ts";
import { printJson } from "../io.ts";
import { printModels } from "./modelList.ts";

async function show(name: string, json: boolean, { io, platform }: Context): Promise<number> {
  const [{ loadModel }, { radiusOf }] = await Promise.all([
    import("../../modelFiles/read.ts"),
    import("../../tasks/upscale/receptiveField.ts"),
  ]); // a list needs neither networks nor the engine
  const { usage, weights, build, example, card, network, path } = await loadModel(name, platform);
  const numbers = Object.values(weights).reduce((sum, { data }) => sum + data.length, 0);
  const facts = {
    name,
    path,
    ...(network && { model: network.model.name, summary: network.model.summary, paper: network.model.paper }),
    ...(network && { options: network.options }),
    usage,
    numbers,
    ...(usage.task === "upscale" && { radius: radiusOf(build, example) }),
    ...card,
  };
  if (json) printJson(io, facts);
  else {
    const rows = Object.entries(facts).map(
      ([key, value]) => [key, typeof value === "object" ? JSON.stringify(value) : String(value)] as const,
    );
    const width = Math.max(...rows.map(([key]) => key.length)) + 2;
    io.out(rows.map(([key, value]) => `${key.padEnd(width)}${value}\n`).join(""));
  }
  return exit.done;
}

export const modelsCommand = defineCommand({
  name: "models",
  summary: "List the models that come along, or show one's card.",
  arguments: [
    { name: "verb", description: "list (unless given) or show", isRequired: false },
    { name: "model", description: "for show: a shipped model, a model file or a run's folder", isRequired: false },
  ],
  options: z.object(jsonOption),
  examples: ["imago models", "imago models show srcnn-x2"],
  async run([verb = "list", name], { json }, context) {
    if (verb === "list" && name === undefined) return printModels(json, context);
    if (verb !== "show") throw userError("imago models", `expected list or show, got "${name ?? verb}"`);
    if (name === undefined) throw userError("imago models show", "expected a model's name, got none");
    return show(name, json, context);
  },
});
