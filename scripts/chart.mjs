// @ts-check
/** @typedef {import("../bench/report.mjs").Row} Row */

const [WIDTH, LABEL, LINE, BAR, HEAD] = [820, 170, 44, 15, 64]; // pixels; a line holds the two bars of a workload
const COLORS = { imago: "#2563a8", pytorch: "#b9bec6", text: "#1d2430", faint: "#6b7280" };

/** @param {number} ms */
const time = (ms) =>
  ms < 10 ? `${ms.toFixed(1)} ms` : ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(2)} s`;

/** @param {number} x @param {number} y @param {string} words */
const text = (x, y, words, { fill = COLORS.text, anchor = "start", size = 13, weight = 400 } = {}) =>
  `<text x="${x}" y="${y}" fill="${fill}" text-anchor="${anchor}" font-size="${size}" font-weight="${weight}">${words}</text>`;

/** @param {string} words */
const escaped = (words) => words.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** A bar and the time behind it. @param {number} y @param {number} length @param {string} fill @param {number} ms */
const bar = (y, length, fill, ms) =>
  [
    `<rect x="${LABEL}" y="${y}" width="${length.toFixed(1)}" height="${BAR}" fill="${fill}"/>`,
    text(LABEL + Number(length.toFixed(1)) + 6, y + BAR - 3, time(ms), { fill: COLORS.faint, size: 12 }),
  ].join("\n");

/** The bars of one kind, PyTorch's `unit` long. @param {string} title @param {Row[]} rows @param {{ top: number, unit: number }} place */
function panel(title, rows, { top, unit }) {
  const bars = rows.flatMap(({ workload, ratio, imagoMs, pytorchMs }, at) => {
    const y = top + HEAD + at * LINE;
    return [
      text(LABEL - 10, y + BAR + 4, workload, { anchor: "end" }),
      bar(y, unit * ratio, COLORS.imago, imagoMs),
      bar(y + BAR + 2, unit, COLORS.pytorch, pytorchMs),
    ];
  });
  return [text(LABEL, top + HEAD - 14, title, { weight: 600 }), ...bars].join("\n");
}

/**
 * A bench as a picture: for each workload the time of Imago and of PyTorch, shorter being better, PyTorch's bars all of one
 * length. Rows without PyTorch are left out.
 * @param {readonly Row[]} rows @param {string} caption
 */
export function chart(rows, caption) {
  const known = rows.filter(({ ratio }) => typeof ratio === "number");
  const kinds = [["step", "Training step"], ["inference", "Inference"]]; // biome-ignore format: one line
  const unit = (WIDTH - LABEL - 90) / Math.max(1, ...known.map(({ ratio }) => ratio));
  let top = 40;
  const panels = kinds.map(([kind, title]) => {
    const own = known.filter((row) => row.kind === kind);
    const made = panel(`${title}, shorter is better`, own, { top, unit });
    top += HEAD + own.length * LINE;
    return made;
  });
  const height = top + 20;
  const legend = [["Imago", COLORS.imago, LABEL], ["PyTorch", COLORS.pytorch, LABEL + 90]].map(([name, fill, x]) =>
    `<rect x="${x}" y="48" width="12" height="12" fill="${fill}"/>${text(Number(x) + 18, 59, String(name))}`); // biome-ignore format: a table
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="Helvetica, Arial, sans-serif">
<title>Time of Imago and of PyTorch for each workload</title>
<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>
${text(LABEL, 28, escaped(caption), { fill: COLORS.faint, size: 12 })}
${legend.join("\n")}
${panels.join("\n")}
</svg>
`;
}
