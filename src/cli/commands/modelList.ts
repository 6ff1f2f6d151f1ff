import { shippedCards } from "../../modelFiles/card.ts";
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
  const cards = await shippedCards(platform);
  if (json) printJson(io, { models: cards });
  else if (cards.length === 0) io.err("No models are shipped with this copy. Train one: imago train --help\n");
  else
    io.out(
      `${alignedTable(
        ["name", "use", "trained on"],
        cards.map(({ name, usage, data }) => [name!, useText(JSON.parse(usage!) as Use), data ?? "–"]),
      )}\n`,
    );
  return exit.done;
}
