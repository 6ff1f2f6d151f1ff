import type { Provenance } from "../image/provenance.ts";
import type { Shown } from "../tasks/show/show.ts";

const valueText = (value: unknown): string =>
  Array.isArray(value)
    ? value.map(valueText).join(",")
    : typeof value === "object"
      ? JSON.stringify(value)
      : String(value);

type Row = readonly [name: string, value: string];

/** The program, the task, its options, its models. */
function rowsOf({ software, version, task, options, models, data, step }: Provenance): readonly Row[] {
  return [
    ["made by", `${software} ${version}`],
    ["task", task],
    ...Object.entries(options)
      .filter(([, value]) => !(Array.isArray(value) && value.length === 0))
      .map(([name, value]) => [name, valueText(value)] as const),
    ...(step === undefined ? [] : [["step", String(step)] as const]),
    ...(data ? [["learned from", `${data.count} pictures, sha256 ${data.sha256}`] as const] : []),
    ...models.map(({ name, sha256 }) => ["weights", `${name}, sha256 ${sha256}`] as const),
  ];
}

/** What a file says of itself, as lines of two columns: what made it, then a model's card. */
export function shownText({ made, card = {} }: Shown): string {
  const parts = [made ? rowsOf(made) : [], Object.entries(card)].filter(({ length }) => length > 0);
  const width = Math.max(...parts.flat().map(([name]) => name.length)) + 2;
  const linesOf = (rows: readonly Row[]): string =>
    rows.map(([name, value]) => `${name.padEnd(width)}${value}`).join("\n");
  return parts.map(linesOf).join("\n\n");
}
