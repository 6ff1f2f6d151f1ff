import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { web } from "../scripts/web.mjs";

/** Imports go left only, between rooms and between the rooms inside a room. */
const ROOMS = words(
  "image tensor options engine nn models platform data recipes metrics train modelFiles tasks report cli",
);
const INNER: Readonly<Record<string, readonly string[]>> = {
  engine: words("graph ops gradients onnx runtime import compile"),
  tasks: words("common classify reconstruct upscale translate generate uses.ts evaluate train bench export show"),
};
/** Files that import each other, with the reason. */
const CIRCLES: readonly (readonly string[])[] = [
  // Ops that differentiate into each other: the gradient of add is a sum, of sum an expand, of slice a pad, of pad a slice.
  words("engine/ops/elementwise.ts engine/ops/pad.ts engine/ops/reduce.ts engine/ops/shape.ts"),
];
const NODE_ONLY = /^node:|^(sharp|onnxruntime-node|yauzl|commander|tinyglobby)$/;
const NODE_HOMES = /^(platform|cli)\/|^node\.ts$|^engine\/runtime\/node(\.worker)?\.ts$/;
const WEB_HOMES = /(^|\/)web(\.worker)?\.ts$/;
const DEEP = new Set(["platform/node.ts → engine/runtime/node.ts"]); // the platform brings its own runtime

function words(text: string): readonly string[] {
  return text.split(" ");
}

const root = fileURLToPath(new URL("../src/", import.meta.url));
const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((file) => /\.ts$/.test(file));
const IMPORT = /(?:^|[\s;}])(?:from|import)\s*\(?\s*"([^"\n]+)"/g;

/** Every import of a file: a package, or a path from src. Text in quotes after "from" counts too; none exists. */
const importsOf = (file: string): string[] =>
  [...readFileSync(join(root, file), "utf8").matchAll(IMPORT)].map(([, to]) =>
    to!.startsWith(".") ? normalize(join(file, "..", to!)) : to!,
  );
const edges = files.flatMap((file) => importsOf(file).map((to) => ({ file, to, edge: `${file} → ${to}` })));
const roomOf = (path: string): number => ROOMS.indexOf(path.split("/")[0]!);
const inside = edges.filter(({ file, to }) => file.includes("/") && files.includes(to) && to !== "errors.ts");

test("every file stands in a room, and its imports are read", () => {
  expect(files.filter((file) => file.includes("/") && roomOf(file) < 0)).toEqual([]);
  expect(files.filter((file) => !file.includes("/") && !/^(core|index|node|web|errors)\.ts$/.test(file))).toEqual([]);
  expect(inside.length).toBeGreaterThan(100);
});

test("imports between rooms go left", () => {
  const wrong = inside.filter(({ file, to }) => !to.includes("/") || roomOf(to) > roomOf(file));
  expect(wrong.map(({ edge }) => edge)).toEqual([]);
});

test("imports between the rooms inside a room go left", () => {
  const wrong = inside.filter(({ file, to }) => {
    const [[room, own], [other, theirs]] = [file.split("/"), to.split("/")] as [string[], string[]];
    const inner = INNER[room!];
    if (!inner || room !== other || !inner.includes(own!)) return false;
    return !inner.includes(theirs!) || inner.indexOf(theirs!) > inner.indexOf(own!);
  });
  expect(wrong.map(({ edge }) => edge)).toEqual([]);
});

test("no files import each other in a circle but those with a reason", () => {
  const circles = circlesOf(
    new Map(files.map((file) => [file, inside.filter((edge) => edge.file === file).map(({ to }) => to)])),
  );
  expect(circles).toEqual(CIRCLES);
});

/** The groups of files from each of which imports lead to all others of the group, sorted by name. */
function circlesOf(imports: ReadonlyMap<string, readonly string[]>): string[][] {
  const reached = new Map([...imports.keys()].map((file) => [file, reachedFrom(file, imports)]));
  const found = new Map<string, string[]>();
  for (const [file, all] of reached) {
    const circle = [...all].filter((other) => reached.get(other)?.has(file)).sort();
    if (circle.length > 0) found.set(circle.join(), circle);
  }
  return [...found.values()];
}

function reachedFrom(file: string, imports: ReadonlyMap<string, readonly string[]>): Set<string> {
  const reached = new Set(imports.get(file));
  for (const one of reached) for (const next of imports.get(one) ?? []) reached.add(next);
  return reached;
}

test("outsiders know the engine by its index alone", () => {
  const deep = inside.filter(({ file, to }) => to.startsWith("engine/") && !file.startsWith("engine/"));
  const wrong = deep.filter(({ to, edge }) => to !== "engine/index.ts" && !DEEP.has(edge));
  expect(wrong.map(({ edge }) => edge)).toEqual([]);
});

test("Node's modules and native packages stay in the platform, the command line, and files named node", () => {
  const wrong = edges.filter(({ file, to }) => NODE_ONLY.test(to) && !NODE_HOMES.test(file));
  expect(wrong.map(({ edge }) => edge)).toEqual([]);
});

test("onnxruntime-web is imported in files named web alone, and these by each other alone", () => {
  const wrong = edges.filter(
    ({ file, to }) => (/^onnxruntime-web/.test(to) || WEB_HOMES.test(to)) && !WEB_HOMES.test(file),
  );
  expect(wrong.map(({ edge }) => edge)).toEqual([]);
});

test("texts of the library name options by `option`: what a flag is called is known to the command line alone", () => {
  const flags = files.flatMap((file) => {
    const lines = readFileSync(join(root, file), "utf8").split("\n");
    return lines.filter((line) => /["'`].*--[a-z]/.test(line) && !/^\s*(\*|\/\*|\/\/)/.test(line)).map((line) => `${file}: ${line.trim()}`); // biome-ignore format: one question
  });
  const outside = flags.filter((line) => !line.startsWith("cli/"));
  expect(outside.filter((line) => !line.includes("npm install onnxruntime-node"))).toEqual([]); // npm's own flag
});

/** Tests of more than one source, with what they are about. */
const ABOUT_MUCH: Readonly<Record<string, string>> = {
  "architecture.test.ts": "all imports",
  "docs/snippets.test.ts": "the pages of docs",
  "engine/ops/ops.test.ts": "every row of the op table",
  "engine/ops/rules.test.ts": "what the rows of ops have in common and no example says: ties, errors, forms",
  "models/adopt.test.ts": "weights of other programs, over the families",
  "models/zoo.test.ts": "every network",
  "recipes/recipes.test.ts": "every recipe: stopped, resumed, equal",
  "recipes/twins.test.ts": "every recipe's step beside PyTorch's",
  "recipes/unets.test.ts": "the steps of pix2pix and of diffusion beside PyTorch's",
  "scripts/install.test.ts": "package.json and the lock file",
};

test("a test stands at the path of its source: <source>.test.ts, or <source>.<topic>.test.ts", () => {
  const tests = readdirSync(join(root, "../test"), { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".test.ts"),
  );
  const homes = (file: string): string[] => {
    const name = file.replace(/(\.\w+)?\.test\.ts$/, "");
    return [`src/${name}.ts`, `${name}.mjs`]; // bench and scripts are no part of src
  };
  const lost = tests.filter((file) => !homes(file).some((path) => existsSync(join(root, "..", path))));
  expect(lost.sort()).toEqual(Object.keys(ABOUT_MUCH));
});

/** Looked at as esbuild sees it: everything that the two files lead to, packages included. */
test("what a page loads is complete in itself and holds nothing of Node's", async () => {
  const { metafile } = await build({ ...web, absWorkingDir: join(root, ".."), outdir: "dist", write: false, metafile: true }); // biome-ignore format: one line
  const outputs = Object.entries(metafile.outputs);
  expect(outputs.map(([path]) => path)).toEqual(["dist/web.js", "dist/web.worker.js"]);
  expect(outputs.flatMap(([, { imports }]) => imports)).toEqual([]);
  const inputs = Object.keys(metafile.inputs);
  expect(
    inputs.filter((path) =>
      /onnxruntime-node|sharp|^src\/cli|^src\/node\.|^src\/(platform|engine\/runtime)\/node/.test(path),
    ),
  ).toEqual([]);
  expect(inputs).toEqual(expect.arrayContaining(["src/engine/runtime/sessions.ts", "src/data/sets/shapes.ts"]));
});
