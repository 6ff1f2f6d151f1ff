import { z } from "zod";
import { userError } from "../../errors.ts";
import { provenanceText } from "../../report/provenance.ts";
import { defineCommand, jsonOption } from "../command.ts";
import { exit } from "../exit.ts";
import { printJson } from "../io.ts";

export const showCommand = defineCommand({
  name: "show",
  summary: "Print what made a file: task, options, models with the sums of their weights, version.",
  arguments: [{ name: "file", description: "a picture or report that imago wrote", isRequired: true }],
  options: z.object(jsonOption),
  examples: ["imago show generated.png", "imago generate --like generated.png --seed 2 -o next.png"],
  async run([path], { json }, { io, platform }) {
    const made = await platform.codec.provenance(path!);
    if (!made) throw userError(path!, "expected a file that says what made it, got one that does not", cureFor(path!));
    if (json) printJson(io, made);
    else io.out(`${provenanceText(made)}\n`);
    return exit.done;
  },
});

const cureFor = (path: string): string | undefined =>
  /\.(safetensors|onnx)$/i.test(path) ? `A model's card is shown by imago models show ${path}.` : undefined;
