// What an addition to this package takes: applies the examples of docs/additions to copies of src, type-checks and bundles them.
// node scripts/additions.mjs    prints a line an addition; exit code 1 where one does not fit
// The table in docs/add-a-model.md is written by scripts/figures.mjs; test/scripts/additions.test.ts uses what was added.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { node } from "./node.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));

/** Text that is put behind the first occurrence of an anchor; at the beginning of the file without one. */
/** @typedef {{ file: string, after?: string, add: string }} Edit */
/**
 * @typedef {object} Addition
 * @property {string} name folder of its new files, docs/additions/NAME, which mirrors src
 * @property {string} what
 * @property {readonly [number, number]} [most] new and edited files that it may take
 * @property {string} [on] the addition that it begins with
 * @property {readonly Edit[]} edits
 */

/** The lines of an index file: an import, a name among the exports, a name in the list. @param {string} room @param {string} name @param {string} file @returns {Edit[]} */
const listed = (room, name, file = name) => [
  { file: `${room}/index.ts`, add: `import { ${name} } from "./${file}.ts";\n` },
  { file: `${room}/index.ts`, after: "\nexport {", add: ` ${name},` },
  { file: `${room}/index.ts`, after: `\nexport const ${room} = [`, add: `\n  ${name},` },
];

/** @type {readonly Addition[]} */
export const additions = [
  {
    name: "network",
    what: "a super-resolution network: ESPCN and its recipe",
    most: [2, 2],
    edits: [...listed("models", "espcn"), ...listed("recipes", "espcn")],
  },
  {
    name: "staged",
    what: "a recipe in stages with a frozen network: SRGAN with features of VGG",
    most: [5, 2],
    edits: [
      ...["srresnet", "srganDiscriminator", "vgg"].flatMap((name) => listed("models", name)),
      ...listed("recipes", "srgan"),
    ],
  },
  {
    name: "twoGenerators",
    what: "a recipe with two generators and a pool of earlier pictures: CycleGAN",
    most: [5, 4],
    edits: [...listed("models", "resnetGenerator"), ...listed("recipes", "cyclegan")],
  },
  {
    name: "sampler",
    what: "a sampler: Euler's method on the probability flow",
    most: [1, 1],
    edits: [
      { file: "tasks/generate/samplers/index.ts", add: 'import { euler } from "./euler.ts";\n' },
      { file: "tasks/generate/samplers/index.ts", after: "export const samplers = [ddim, ddpm", add: ", euler" },
    ],
  },
  {
    name: "task",
    what: "a task: a picture with the colors of another",
    most: [2, 1],
    edits: [
      { file: "tasks/index.ts", add: 'import { recolor } from "./recolor/recolor.ts";\n' },
      { file: "tasks/index.ts", after: "export const tasks = [", add: "\n  recolor," },
    ],
  },
  {
    name: "command",
    what: "the same as a command, and as a function of Node's door",
    on: "task",
    edits: [
      {
        file: "node.ts",
        add: "export const recolor = door.recolor;\n",
        after: "const door = bindTasks(tasks, platform);\n",
      },
      {
        file: "cli/program.ts",
        after: "export const entries: readonly Entry[] = [",
        add: `
  {
    name: "recolor",
    summary: "give a picture the colors of another",
    load: async () => (await import("./commands/recolor.ts")).recolorCommand,
  },`,
      },
    ],
  },
  {
    name: "op",
    what: "an op: softsign",
    most: [1, 1],
    edits: [
      {
        file: "engine/ops/index.ts",
        add: 'import { softsignOp } from "./softsign.ts";\nexport * from "./softsign.ts";\n',
      },
      { file: "engine/ops/index.ts", after: "export const ops: readonly Op[] = [", add: "\n  softsignOp," },
    ],
  },
];

const folderOf = (/** @type {Addition} */ { name }) => `${root}docs/additions/${name}`;

/** The additions that one is made of. @param {Addition} addition @returns {readonly Addition[]} */
const chainOf = (addition) => [...additions.filter(({ name }) => name === addition.on), addition];

/** What an addition makes, from docs/additions, and edits, from src. @param {Addition} addition */
export function filesOf(addition) {
  const chain = chainOf(addition);
  const made = chain.flatMap((one) =>
    readdirSync(folderOf(one), { recursive: true, encoding: "utf8" })
      .flatMap((file) => (file.endsWith(".ts") ? [`${one.name}/${file}`] : []))
      .sort(),
  );
  return { made, edited: [...new Set(chain.flatMap(({ edits }) => edits.map(({ file }) => file)))] };
}

/** The text of a file with an edit. @param {string} text @param {Edit} edit */
function edited(text, { file, after = "", add }) {
  const at = text.indexOf(after);
  if (at < 0) throw new Error(`src/${file}: expected "${after.trim()}" to add behind, got a file without it.`);
  return text.slice(0, at + after.length) + add + text.slice(at + after.length);
}

/** Adds to a copy of src. @param {Addition} addition @param {string} folder */
function add(addition, folder) {
  for (const one of chainOf(addition)) {
    cpSync(folderOf(one), folder, { recursive: true });
    for (const edit of one.edits) writeFileSync(join(folder, edit.file), edited(readFileSync(join(folder, edit.file), "utf8"), edit)); // biome-ignore format: one line
  }
}

/** Copies src into a project of its own, with some additions. @param {string} folder @param {readonly Addition[]} some */
function project(folder, some) {
  mkdirSync(folder);
  cpSync(`${root}src`, join(folder, "src"), { recursive: true });
  symlinkSync(`${root}node_modules`, join(folder, "node_modules"));
  cpSync(`${root}package.json`, join(folder, "package.json"));
  const chained = new Set(some.flatMap(({ on }) => on ?? []));
  for (const one of some) if (!chained.has(one.name)) add(one, join(folder, "src"));
}

/** What the compiler says of all additions together. @param {string} folder */
export function typeFaults(folder) {
  project(folder, additions);
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({ extends: `${root}tsconfig.json`, include: ["src"], exclude: ["src/**/web.ts", "src/**/web.worker.ts"] }), // biome-ignore format: one line
  );
  const { stdout } = spawnSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, "-p", folder, "--noEmit"], { encoding: "utf8" }); // biome-ignore format: one line
  return stdout;
}

const LISTS = ["models/index", "recipes/index", "tasks/index", "tasks/generate/samplers/index"];
const TOOLS = ["engine/index", "nn/model", "train/step", "platform/node", "cli/program", "node"];

/**
 * Bundles a copy of src with one addition alone: an import that leads nowhere fails. Returns a function that imports a file of it.
 * @param {Addition} addition @param {string} folder
 */
export async function bundled(addition, folder) {
  project(folder, [addition]);
  const outdir = join(folder, "built");
  const entryPoints = [...LISTS, ...TOOLS].map((file) => ({ in: join(folder, "src", `${file}.ts`), out: file }));
  await build({
    entryPoints,
    outdir,
    ...node,
    splitting: true,
    chunkNames: "lib/[name]-[hash]",
    outExtension: { ".js": ".mjs" },
    logLevel: "silent",
  });
  return (/** @type {string} */ file) => import(join(outdir, `${file}.mjs`));
}

/** The table of docs/add-a-model.md. */
export function additionsTable() {
  const bare = (/** @type {string} */ file) => file.slice(file.indexOf("/") + 1);
  const rows = additions.map((addition) => {
    const { made, edited } = filesOf(addition);
    return [
      addition.what,
      `${made.length} + ${edited.length}`,
      made.map((file) => `[${bare(file)}](additions/${file})`).join(", "),
      edited.map((file) => `[${file}](../src/${file})`).join(", "),
    ];
  });
  const head = ["addition", "new + edited files", "new", "edited"];
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

/** Applies every addition and says what it took. */
async function main() {
  const folder = mkdtempSync(join(tmpdir(), "imago-additions-"));
  try {
    const faults = typeFaults(join(folder, "types"));
    for (const addition of additions) {
      await bundled(addition, join(folder, addition.name));
      const { made, edited } = filesOf(addition);
      console.log(`${made.length} + ${edited.length}  ${addition.what}`);
    }
    if (faults) console.error(faults);
    process.exitCode = faults ? 1 : 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
