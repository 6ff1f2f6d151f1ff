import type { Provenance } from "../image/provenance.ts";

const valueText = (value: unknown): string =>
  Array.isArray(value)
    ? value.map(valueText).join(",")
    : typeof value === "object"
      ? JSON.stringify(value)
      : String(value);

/** A record as lines of two columns: the program, the task, its options, its models. */
export function provenanceText({ software, version, task, options, models, data, step }: Provenance): string {
  const rows: readonly (readonly [string, string])[] = [
    ["made by", `${software} ${version}`],
    ["task", task],
    ...Object.entries(options)
      .filter(([, value]) => !(Array.isArray(value) && value.length === 0))
      .map(([name, value]) => [name, valueText(value)] as const),
    ...(step === undefined ? [] : [["step", String(step)] as const]),
    ...(data ? [["learned from", `${data.count} pictures, sha256 ${data.sha256}`] as const] : []),
    ...models.map(({ name, sha256 }) => ["weights", `${name}, sha256 ${sha256}`] as const),
  ];
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  return rows.map(([name, value]) => `${name.padEnd(width)}${value}`).join("\n");
}
