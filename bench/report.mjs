// @ts-check
/** @typedef {{ workload: string, kind: string } & Record<string, any>} Row */

/** Steps that are a workload's own in another form: rows of the table, but in no mean; their forward passes are those of others. */
export const VARIANTS = ["srresnet-remat", "stylegan2-r1"];

/** @param {number[]} ratios */
const geometricMean = (ratios) => Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);

/**
 * Imago's share of PyTorch's time and memory over all workloads that have both, each once.
 * @param {readonly Row[]} all @returns {{ name: string, mean: number, count: number }[]}
 */
export function geometricMeans(all) {
  const rows = all.filter(({ workload }) => !VARIANTS.includes(workload));
  const ratios = {
    step: rows.filter(({ kind }) => kind === "step").map(({ ratio }) => ratio),
    inference: rows.filter(({ kind }) => kind === "inference").map(({ ratio }) => ratio),
    "peak memory of a step": rows.flatMap(({ kind, imagoPeakMB, pytorchPeakMB }) =>
      kind === "step" && pytorchPeakMB ? [imagoPeakMB / pytorchPeakMB] : [],
    ),
  };
  return Object.entries(ratios).flatMap(([name, list]) => {
    const known = list.filter((ratio) => typeof ratio === "number");
    return known.length > 0 ? [{ name, mean: geometricMean(known), count: known.length }] : [];
  });
}

/** The means in one line, empty where there is no peer. @param {readonly Row[]} rows */
export function meansLine(rows) {
  const means = geometricMeans(rows).map(({ name, mean, count }) => `${name} ${mean.toFixed(2)} (${count})`);
  return means.length > 0 ? `Geometric means of Imago / PyTorch (of how many): ${means.join(", ")}.` : "";
}

/** @param {unknown} value */
const cell = (value, digits = 0) => (typeof value === "number" ? value.toFixed(digits) : "–");

/** Another library's time and how many times Imago's it is. @param {Row} row @param {"tfjs" | "jax"} library */
function peerCell(row, library) {
  const least = row[`${library}AtLeastMs`];
  const ms = row[`${library}Ms`] ?? least;
  if (typeof ms !== "number") return "–";
  const times = ms / row.imagoMs;
  return `${least ? "> " : ""}${cell(ms, ms < 10 ? 1 : 0)} (${cell(times, times < 10 ? 1 : 0)}×)`;
}

/** Columns of the table; those without a value in any row are left out. */
const COLUMNS = /** @type {readonly (readonly [string, (row: Row) => string])[]} */ ([
  ["Imago ms", (row) => cell(row.imagoMs, 1)],
  ["PyTorch ms", (row) => cell(row.pytorchMs, 1)],
  ["ratio", (row) => cell(row.ratio, 2)],
  ["arithmetic ms", (row) => cell(row.arithmeticMs, 1)],
  ["Imago peak MB", (row) => cell(row.imagoPeakMB)],
  ["PyTorch peak MB", (row) => cell(row.pytorchPeakMB)],
  ["tfjs ms", (row) => peerCell(row, "tfjs")],
  ["jax-js ms", (row) => peerCell(row, "jax")],
  ["loading ms", (row) => cell(row.sessionMs)],
  ["first ms", (row) => cell(row.firstMs)],
]);

/** Rows as a Markdown table. @param {readonly Row[]} rows @param {readonly string[]} [without] columns to leave out */
export function table(rows, without = []) {
  const used = COLUMNS.filter(([name, print]) => !without.includes(name) && rows.some((row) => print(row) !== "–"));
  const lines = rows.map((row) => [row.workload, row.kind, ...used.map(([, print]) => print(row))]);
  const head = ["workload", "what", ...used.map(([name]) => name)];
  return [head, head.map(() => "---"), ...lines].map((line) => `| ${line.join(" | ")} |`).join("\n");
}

/** Rows as CSV with every field that any of them has; text with a comma is quoted. @param {readonly Row[]} rows */
export function csv(rows) {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const text = (/** @type {unknown} */ value) => {
    const plain = typeof value === "number" ? String(Number(value.toPrecision(6))) : String(value ?? "");
    return /[",\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
  };
  return `${[names, ...rows.map((row) => names.map((name) => text(row[name])))].map((line) => line.join(",")).join("\n")}\n`;
}
