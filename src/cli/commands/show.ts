import { shownText } from "../../report/provenance.ts";
import { show } from "../../tasks/show/show.ts";
import { jsonOption } from "../command.ts";
import { printJson } from "../io.ts";
import { taskCommand } from "../taskCommand.ts";

export const showCommand = taskCommand(show, {
  arguments: [{ name: "file", description: "a picture, report or model that imago wrote", isRequired: true }],
  flags: jsonOption,
  examples: ["imago show generated.png", "imago generate --like generated.png --seed 2 -o next.png"],
  input: ([path]) => path!,
  async show(shown, { json }, { io }) {
    const { made, card } = shown;
    if (json) printJson(io, { ...made, ...(card && { card }) });
    else io.out(`${shownText(shown)}\n`);
  },
});
