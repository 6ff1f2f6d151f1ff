import type { Judged } from "../tasks/common/judging.ts";
import { alignedTable, csvText, markdownTable, type Row, type Writers, writerFor } from "./evaluation.ts";

const short = (value: number): string => String(Number(value.toPrecision(5)));
const rowsOf = ({ figures }: Judged): readonly Row[] =>
  Object.entries(figures).map(([name, value]) => [name, short(value)]);

/** A line a figure, under the model's name; then what the figures stand on. */
export const judgedText = (one: Judged): string =>
  [alignedTable([one.model, ""], rowsOf(one)), ...(one.features ? [`on ${one.features}`] : [])].join("\n");

/** All figures with full precision. */
export const judgedJson = (all: readonly Judged[]): object => ({
  models: all.map(({ model, features, figures }) => ({ model, ...(features && { features }), ...figures })),
});

const csv = (all: readonly Judged[]): string =>
  csvText([
    ["model", "figure", "value", "features"],
    ...all.flatMap(({ model, features = "", figures }) =>
      Object.entries(figures).map(([name, value]): Row => [model, name, value, features]),
    ),
  ]);

const markdown = (all: readonly Judged[]): string =>
  all
    .map(
      (one) => `${markdownTable([one.model, "value"], rowsOf(one))}\n${one.features ? `\nOn ${one.features}.\n` : ""}`,
    )
    .join("\n");

const writers: Writers<readonly Judged[]> = {
  csv,
  md: markdown,
  json: (all) => `${JSON.stringify(judgedJson(all), null, 2)}\n`,
};

/** The writer of a report on models of small pictures, by the ending of its file's name. */
export const judgedWriter = (path: string): ((all: readonly Judged[]) => string) => writerFor(path, writers);
