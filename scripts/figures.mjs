// Puts measured figures into the documents: rewrites what stands between <!-- figures:NAME --> and <!-- /figures -->.
// node scripts/figures.mjs            fills README.md, docs/*.md and models/*.md from bench/results/*.json and docs/additions, and
//                                     draws docs/pictures/bench.svg
// node scripts/figures.mjs --check    changes nothing; exit code 1 where a document is not what the results say
// node scripts/figures.mjs --picture demo/comparison.png    also makes docs/pictures/demo.png of a comparison sheet
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { table as benchTable, geometricMeans, meansLine } from "../bench/report.mjs";
import { additionsTable } from "./additions.mjs";
import { chart } from "./chart.mjs";

const { values } = parseArgs({ options: { check: { type: "boolean", default: false }, picture: { type: "string" } } });
const root = fileURLToPath(new URL("../", import.meta.url));
const results = `${root}bench/results`;
const LARGEST = 400_000; // bytes of the picture in README.md

/** @typedef {{ method: string, scale: number, psnr: number | null, ssim: number, pictures: number }} Mean */
/** @typedef {import("../bench/report.mjs").Row} BenchRow */

/** @param {string[]} head @param {string[][]} rows */
const table = (head, rows) => [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");

/** @param {string} name @returns {any} */
const read = (name) => JSON.parse(readFileSync(`${results}/${name}`, "utf8"));
const names = existsSync(results) ? readdirSync(results).filter((name) => name.endsWith(".json")) : [];

/** The means of `imago evaluate`: a row a method, a column a scale. */
function scores(/** @type {string} */ name, /** @type {string} */ command) {
  if (!names.includes(name)) return `Not measured yet: \`${command}\``;
  /** @type {Mean[]} */
  const means = read(name).means;
  const scales = [...new Set(means.map(({ scale }) => scale))].sort((a, b) => a - b);
  const nameOf = (/** @type {Mean} */ { method }) => method.replace(/-x\d$/, "");
  const rows = [...new Set(means.map(nameOf))].map((method) => {
    const cells = scales.map((scale) => {
      const one = means.find((mean) => nameOf(mean) === method && mean.scale === scale);
      return one ? `${one.psnr?.toFixed(2) ?? "∞"} / ${one.ssim.toFixed(4)}` : "–";
    });
    return [method, ...cells];
  });
  return table(["PSNR (dB) / SSIM", ...scales.map((scale) => `×${scale}`)], rows);
}

/** @param {number | null | undefined} value */
const cell = (value, digits = 0) => (typeof value === "number" ? value.toFixed(digits) : "–");

/** What `imago evaluate` says of models of small pictures: a row a model. */
function judged(/** @type {string} */ name, /** @type {string} */ command) {
  if (!names.includes(name)) return `Not measured yet: \`${command}\``;
  /** @type {Record<string, any>[]} */
  const models = read(name).models;
  const wanted = ["accuracy", "mse", "mse / floor", "elbo", "fid", "fid of training pictures", "kid", "kid of training pictures", "precision", "recall"]; // biome-ignore format: one line
  const columns = wanted.filter((column) => models.some((model) => column in model));
  const print = (/** @type {unknown} */ value) => (typeof value === "number" ? String(Number(value.toPrecision(4))) : "–"); // biome-ignore format: one line
  return table(
    ["model", ...columns],
    models.map((model) => [model.model, ...columns.map((column) => print(model[column]))]),
  );
}

/** Every run of `npm run bench` that was kept: a list of rows each. */
const benches = names.flatMap((name) => {
  const rows = /** @type {BenchRow[]} */ (read(name));
  const first = rows[0];
  return first?.workload ? [{ first, rows }] : []; // scores are no list
});

/** What \`npm run bench\` measured in the first of its runs. @param {string[]} without columns to leave out */
function bench(without) {
  const [shown] = benches;
  if (!shown) return "Not measured yet: `npm run bench -- --json bench/results/cpu.json`";
  const { cpu, threads, node, pytorch, blas, date, overheadMs } = shown.first;
  const peer = pytorch ? `, PyTorch ${pytorch} with ${blas} BLAS` : "";
  const where = `${cpu}, ${threads} threads, Node ${node}${peer}, ${date}. A step of a network that computes next to nothing takes ${cell(overheadMs, 2)} ms.`; // biome-ignore format: one line
  return `${where}\n\n${benchTable(shown.rows, without)}\n\n${meansLine(shown.rows)}`;
}

/** The ratio to PyTorch in every run that was kept, and their means. */
function runs() {
  const head = ["workload", "what", ...benches.map((_, at) => `run ${at + 1}`)];
  const [shown] = benches;
  const rows = (shown?.rows ?? []).map(({ workload, kind }) => {
    const found = benches.map(({ rows }) => rows.find((row) => row.workload === workload && row.kind === kind));
    return [workload, kind, ...found.map((row) => cell(row?.ratio, 2))];
  });
  const means = benches.map(({ rows }) => geometricMeans(rows));
  const lines = (means[0] ?? []).map(({ name }) => [
    "geometric mean",
    name,
    ...means.map((list) => cell(list.find((one) => one.name === name)?.mean, 2)),
  ]);
  return table(head, [...rows, ...lines]);
}

/** The list of changes that were measured, kept by hand. */
function tried() {
  const lines = readFileSync(`${results}/tried.csv`, "utf8").trim().split("\n");
  const cells = (/** @type {string} */ line) =>
    [...line.matchAll(/("[^"]*"|[^,]*)(,|$)/g)].map(([, text]) => (text ?? "").replaceAll('"', "") || "–");
  const [head, ...rows] = lines.map((line) => cells(line).slice(0, (lines[0] ?? "").split(",").length));
  return table(head ?? [], rows);
}

/** What `imago bench --profile --json` says of steps: the time by kind. */
function profile() {
  const command = "npx imago bench --only srresnet,dcgan --rounds 200 --profile --json > bench/results/profile.json";
  /** @type {any[]} */
  const profiles = names.filter((name) => name.startsWith("profile.")).flatMap((name) => read(name).profiles);
  if (profiles.length === 0) return `Not measured yet: \`${command}\``;
  const parts = profiles.map(({ workload, steps, medianMs, worstMs, waiting, peakMB, profiled }) => {
    const { rows, ms } = profiled.runtime;
    const sum = (/** @type {(row: any) => boolean} */ which) =>
      rows.filter(which).reduce((/** @type {number} */ total, /** @type {any} */ row) => total + row.ms, 0);
    const line = (/** @type {string} */ name, /** @type {number} */ time, phases = ["–", "–"]) => [name, ...phases, time.toFixed(1), ((100 * time) / profiled.ms).toFixed(1)]; // biome-ignore format: one line
    const kinds = [...new Set(rows.map((/** @type {any} */ { kind }) => String(kind)))].map((kind) => {
      const phases = ["forward", "backward"].map((phase) => sum((row) => row.kind === kind && row.phase === phase));
      return line(kind, sum((row) => row.kind === kind), phases.map((time) => (time ? time.toFixed(1) : "–"))); // biome-ignore format: one line
    });
    const rest = [
      line("between kernels", ms - sum(() => true)),
      line("around the runtime", profiled.aroundMs),
      line("waiting for data", profiled.waitingMs),
    ];
    const even = `${steps} steps without the profiler: median ${medianMs.toFixed(1)} ms, worst ${worstMs.toFixed(1)} ms (${(worstMs / medianMs).toFixed(2)} × the median), ${(100 * waiting).toFixed(1)} % of the time waiting for data, peak memory of the process ${peakMB.toFixed(0)} MB.`; // biome-ignore format: one line
    return `${table([workload, "forward ms", "backward ms", "ms", "share %"], [...kinds, ...rest])}\n\n${even}`;
  });
  return parts.join("\n\n");
}

const set5 = "npx imago evaluate --data Set5 --method nearest,bilinear,bicubic,lanczos --model srcnn --scale 2,3,4 -o bench/results/set5.json -f"; // biome-ignore format: one line
const mnist = "npx imago evaluate --data mnist --judge classifier-mnist --model autoencoder-mnist,autoencoder-mnist-linear,vae-mnist-2,vae-mnist-20,classifier-mnist,cgan-mnist,dcgan-mnist -o bench/results/mnist.json -f"; // biome-ignore format: one line
const cifar10 = "npx imago evaluate --data cars --judge runs/classifier-cifar --model stylegan2-cifar10,runs/dcgan-cars -o bench/results/cifar10.json -f"; // biome-ignore format: one line
const csinva = "npx imago evaluate --data mnist --judge mnist_lenet_csinva/lenet.safetensors --model mnist_gan_mlp_csinva/G.safetensors,mnist_lenet_csinva/lenet.safetensors -o bench/results/csinva.json -f"; // biome-ignore format: one line
/** @type {Record<string, () => string>} */
const figures = {
  set5: () => scores("set5.json", set5),
  mnist: () => judged("mnist.json", mnist),
  cifar10: () => judged("cifar10.json", cifar10),
  csinva: () => judged("csinva.json", csinva),
  bench: () => bench(["loading ms", "first ms"]),
  start: () =>
    bench(["PyTorch ms", "ratio", "arithmetic ms", "Imago peak MB", "PyTorch peak MB", "tfjs ms", "jax-js ms"]),
  runs,
  profile,
  tried,
  additions: additionsTable,
};

/** @param {string} text @param {string} path */
const filled = (text, path) =>
  text.replace(/(<!-- figures:(\w+) -->\n)[\s\S]*?(<!-- \/figures -->)/g, (_, start, name, end) => {
    const make = figures[name];
    if (!make) throw new Error(`${path}: expected figures of ${Object.keys(figures).join(" or ")}, got ${name}.`);
    return `${start}${make()}\n${end}`;
  });

const within = (/** @type {string} */ folder) =>
  readdirSync(root + folder).flatMap((name) => (name.endsWith(".md") ? [`${folder}/${name}`] : []));
const pages = ["README.md", ...within("docs"), ...within("models")];
const stale = pages.filter((page) => {
  const before = readFileSync(root + page, "utf8");
  const after = filled(before, page);
  if (!values.check && after !== before) writeFileSync(root + page, after);
  return after !== before;
});
const [shown] = benches;
if (shown) {
  const { cpu, threads, pytorch, date } = shown.first;
  const [path, svg] = [
    "docs/pictures/bench.svg",
    chart(shown.rows, `${cpu}, ${threads} threads, PyTorch ${pytorch}, ${date}`),
  ];
  const before = existsSync(root + path) ? readFileSync(root + path, "utf8") : "";
  if (!values.check && before !== svg) writeFileSync(root + path, svg);
  if (before !== svg) stale.push(path);
}
for (const page of stale) console.log(values.check ? `${page}: not what bench/results says.` : `${page}: rewritten`);
if (values.check && stale.length > 0) console.error("Run node scripts/figures.mjs.");
process.exitCode = values.check && stale.length > 0 ? 1 : 0;

if (values.picture) {
  const { default: sharp } = await import("sharp");
  const options = { palette: true, colors: 256, dither: 0.5, effort: 8 };
  const bytes = await sharp(values.picture).resize({ width: 1160, withoutEnlargement: true }).png(options).toBuffer();
  if (bytes.length > LARGEST)
    throw new Error(`${values.picture}: expected at most ${LARGEST} bytes, got ${bytes.length}.`);
  writeFileSync(`${root}docs/pictures/demo.png`, bytes);
  console.log(`docs/pictures/demo.png: ${bytes.length} bytes`);
}
