import { modelCard } from "../../modelFiles/card.ts";
import type { Card } from "../../modelFiles/model.ts";
import { listModels } from "../../modelFiles/names.ts";
import type { Use } from "../../nn/use.ts";
import { useText } from "../../nn/useText.ts";
import { alignedTable } from "../../report/evaluation.ts";
import type { Context } from "../command.ts";
import { exit } from "../exit.ts";
import { printJson } from "../io.ts";

/**
 * Prints the models that come along. It needs the heads of their files alone: neither schemas, nor networks, nor the
 * engine.
 */
export async function printModels(json: boolean, { io, platform }: Pick<Context, "io" | "platform">): Promise<number> {
  const names = await listModels(platform);
  const cards = await Promise.all(names.map(async (name) => ({ name, ...(await modelCard(name, platform)) })));
  if (json) printJson(io, { models: cards });
  else if (cards.length === 0) io.err("No models are shipped with this copy. Train one: imago train --help\n");
  else
    io.out(
      `${alignedTable(
        ["name", "use", "trained on"],
        cards.map(({ name, usage, data }: Card) => [name!, useText(JSON.parse(usage!) as Use), data ?? "–"]),
      )}\n`,
    );
  return exit.done;
}
