import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { cp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { transformSync } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Finished, runCommand } from "../../src/cli/command.ts";
import { entries } from "../../src/cli/program.ts";
import { syntheticPhotograph } from "../../src/image/draw/synthetic.ts";
import { writePicture } from "../../src/platform/codec.ts";
import { nodePlatform } from "../../src/platform/node.ts";
import { type Block, commandsOf, type Page, pages, root } from "./pages.ts";

/** The documents: what is marked as runnable runs and prints what stands under it, commands parse, links lead somewhere. */
const folder = mkdtempSync(join(tmpdir(), "imago-docs-"));
const model = join(folder, "model"); // a run that took one step, for pages that need one
const runnable = pages.filter(({ blocks }) => blocks.some(({ mark }) => mark === "run"));

/** Long trainings of large batches become short ones of one patch. */
const shortened = (text: string): string =>
  text
    .replace(/--steps (\d+)/g, (_, count) => `--steps ${1 + Math.ceil(Number(count) / 1e4)}`)
    .replace(/(train srcnn )/g, "$1--batch 1 ")
    .replace(/steps: [\d_]+/g, "steps: 3, batch: 1");

const run = (where: string, args: readonly string[]): { readonly code: number | null; out: string; err: string } => {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: where, encoding: "utf8" });
  return { code: status, out: stdout, err: stderr };
};

const imago = join(root, "dist/cli/main.js");
const trainOn = ["train", "srcnn", "--data", "photos", "--steps", "1", "--form", "9-1-5", "--patch", "32", "--batch", "1"]; // biome-ignore format: one line

/** Pictures as the pages name them, and packages as a project that uses Imago has them. */
beforeAll(async () => {
  if (!existsSync(imago)) throw new Error("dist/: expected the built package, got nothing. Run npm run build.");
  for (const name of ["photos", "held-out", "node_modules/@types"]) mkdirSync(join(folder, name), { recursive: true });
  const write = (name: string, seed: number) =>
    writePicture(join(folder, name), syntheticPhotograph({ width: 128, height: 96, seed }));
  await Promise.all([write("photo.jpg", 1), write("photos/1.png", 2), write("photos/2.png", 3), write("held-out/1.png", 4)]); // biome-ignore format: one line
  symlinkSync(root, join(folder, "node_modules/imago"));
  for (const name of ["zod", "@types/node"])
    symlinkSync(join(root, "node_modules", name), join(folder, "node_modules", name));
  expect(run(folder, [imago, ...trainOn, "--run", model]).err).toContain("Done");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A folder of its own for a page. */
async function folderOf({ path, text }: Page): Promise<string> {
  const own = join(folder, path.replaceAll("/", "-").replace(".md", ""));
  mkdirSync(own);
  for (const name of ["photo.jpg", "photos", "held-out"]) await cp(join(folder, name), join(own, name), { recursive: true }); // biome-ignore format: one line
  if (!/--run runs\/mine/.test(text)) await cp(model, join(own, "runs/mine"), { recursive: true });
  return own;
}

/** What a program or the commands of a block print. */
function runBlock({ language, text, line }: Block, where: string): string {
  if (language === "sh") return runShell(text, where);
  const file = join(where, `line-${line}.mjs`);
  writeFileSync(file, transformSync(shortened(text), { loader: "ts", format: "esm", target: "node20" }).code);
  const { code, out, err } = run(where, [file]);
  expect(code, err).toBe(0);
  return out;
}

function runShell(text: string, where: string): string {
  const lines = shortened(text).split("\n").filter((line) => line !== ""); // biome-ignore format: one line
  for (const line of lines) {
    const words = commandsOf({ path: "", text: "", blocks: [{ language: "sh", mark: "", text: line, line: 0 }] })[0]!;
    expect(words.slice(0, 2)).toEqual(["npx", "imago"]);
    const { code, err } = run(where, [imago, ...words.slice(2)]);
    expect(code, `${line}\n${err}`).toBe(0);
  }
  return "";
}

describe.each(runnable)("$path", (page) => {
  test("what is marked as runnable runs, and prints what stands under it", { timeout: 240_000 }, async () => {
    const where = await folderOf(page);
    for (const [at, block] of page.blocks.entries()) {
      if (block.mark !== "run") continue;
      const out = runBlock(block, where);
      const next = page.blocks[at + 1];
      if (next?.mark === "output") expect(out, `${page.path}:${next.line}`).toBe(next.text);
    }
  });
});

test("programs in the pages are typed correctly, and all of them run", { timeout: 120_000 }, () => {
  const blocks = pages.flatMap(({ path, blocks }) => blocks.map((block) => ({ path, ...block })));
  const programs = blocks.filter(({ language }) => ["ts", "js"].includes(language));
  expect(programs.filter(({ mark }) => mark !== "run")).toEqual([]);
  const types = join(folder, "types");
  mkdirSync(types);
  for (const { path, line, text } of programs)
    writeFileSync(join(types, `${path.replaceAll("/", "-")}-${line}.mts`), text);
  const compilerOptions = { target: "es2023", module: "nodenext", strict: true, noEmit: true, skipLibCheck: true, types: ["node"] }; // biome-ignore format: one line
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["types"] }));
  const { code, out } = run(folder, [join(root, "node_modules/typescript/bin/tsc"), "-p", folder]);
  expect(out).toBe("");
  expect(code).toBe(0);
});

/** Parses a command line by the command's own schema, without running it. */
async function parseImago(argv: readonly string[]): Promise<number> {
  const entry = entries.find(({ name }) => name === argv[0]);
  if (!entry) return ["--help", "--version"].includes(argv[0] ?? "") ? 0 : 2;
  const command = await entry.load();
  const io = { out: () => {}, err: () => {}, isTerminal: false };
  const idle = { ...command, run: async () => 0 };
  const platform = nodePlatform();
  const made = { software: "imago", version: "", task: command.name, options: {} } as const; // of files after --like
  const codec = { ...platform.codec, provenance: async () => ({ ...made, models: [] }) };
  return runCommand(idle, argv.slice(1), { io, platform: { ...platform, codec } }).catch((error) => {
    if (error instanceof Finished) return 0; // --help
    throw error;
  });
}

const scripts = JSON.parse(readFileSync(`${root}package.json`, "utf8")).scripts as Record<string, string>;

/** Why a command of a page cannot be given as it stands. */
async function faultOf(words: readonly string[]): Promise<string | undefined> {
  const [program, first = "", ...rest] = words[0] === "npx" ? words.slice(1) : words;
  if (program === "imago") return parseImago([first, ...rest]).then((code) => (code === 0 ? undefined : "no such command"), String); // biome-ignore format: one line
  if (program === "node") return existsSync(root + first) ? undefined : `no ${first}`;
  if (program !== "npm") return existsSync(root + program) ? undefined : "no such program";
  if (first !== "run") return ["ci", "test", "install"].includes(first) ? undefined : "no such npm command";
  return scripts[rest[0]!] ? undefined : "no such script";
}

test.each(pages)("$path: commands parse", async (page) => {
  const faults = [];
  for (const words of commandsOf(page)) {
    const fault = await faultOf(words);
    if (fault) faults.push(`${words.join(" ")}: ${fault}`);
  }
  expect(faults).toEqual([]);
});

/** The anchor that a heading gets. */
const anchorOf = (heading: string): string => heading.toLowerCase().replace(/[^\w\s-]/g, "").trim().replace(/\s/g, "-"); // biome-ignore format: one line

test.each(pages)("$path: links lead somewhere", ({ path, text }) => {
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!);
  const broken = links.filter((target) => {
    if (/^https?:/.test(target)) return false;
    const [file = "", anchor] = target.split("#");
    const found = file === "" ? root + path : join(root, dirname(path), file);
    if (!existsSync(found)) return true;
    const headings = anchor ? [...readFileSync(found, "utf8").matchAll(/^#+ (.*)$/gm)].map(([, one]) => anchorOf(one!)) : []; // biome-ignore format: one line
    return anchor !== undefined && !headings.includes(anchor);
  });
  expect(broken).toEqual([]);
});

test.each(pages)("$path: names that lead to a source stand in it", ({ path, text }) => {
  const names = [...text.matchAll(/\[`(\w+)`\]\(([^)\s]+\.ts)\)/g)].map(([, name, file]) => ({
    name: name!,
    file: file!,
  }));
  const strangers = names.filter(({ name, file }) => {
    const source = join(root, dirname(path), file);
    return existsSync(source) && !new RegExp(`\\b${name}\\b`).test(readFileSync(source, "utf8"));
  });
  expect(strangers).toEqual([]);
});

test("figures in the documents are those of bench/results", () => {
  const { code, out } = run(root, ["scripts/figures.mjs", "--check"]);
  expect({ code, out }).toEqual({ code: 0, out: "" });
});
