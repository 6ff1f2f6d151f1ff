import { z } from "zod";
import { userError } from "../../errors.ts";
import type { Provenance } from "../../image/provenance.ts";
import type { Card } from "../../modelFiles/model.ts";
import { readShown } from "../common/record.ts";
import { defineTask, type Progress } from "../common/task.ts";

/** What a file says of itself: a picture or a report what made it, a model its card too, where it has one. */
export interface Shown {
  readonly made?: Provenance;
  readonly card?: Card;
}

/** Shows what made a file. */
export const show = defineTask({
  name: "show",
  summary: "Print what made a file: task, options, models with the sums of their weights, version.",
  takes: "file",
  options: z.object({}),
  gives: "record",
  async *run(file, _, { platform }): AsyncGenerator<Progress, Shown> {
    const shown = await readShown(file, platform);
    yield { done: 1, total: 1, what: "read" };
    if (shown.made || Object.keys(shown.card ?? {}).length > 0) return shown;
    const where = typeof file === "string" ? file : "file";
    throw userError(where, "expected a file that says what made it, got one that does not");
  },
});
