// Prints the files by lines, then the functions of more than 40 lines; exits with 1 when a file has more than 300 (a test: 500).
// node scripts/size.mjs [folder …]
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const FILE = 300; // lines; house style
const TEST = 500; // a table of cases reads better in one piece
const FUNCTION = 40;
const root = fileURLToPath(new URL("../", import.meta.url));
const folders = process.argv.length > 2 ? process.argv.slice(2) : ["src", "test", "scripts", "bench"];

/** @param {string} folder @returns {string[]} */
function filesOf(folder) {
  try {
    return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((name) => join(folder, name));
  } catch {
    return []; // a folder that is not there yet
  }
}

/** A line that opens a function and a block: a declaration, a method, or an arrow. */
const OPENS = [
  /^(\s*)(?:export )?(?:async )?function\*?\s+(\w+).*$/,
  /^(\s*)(?:(?:static|async|get|set|override) )*\*?(#?\w+)\s*(?:<[^>]*>)?\((?!.*\);$).*\{$/,
  /^(\s*)(?:export )?(?:const )?(#?\w+)(?:: [^=]+)? ?[=:] ?(?:async )?\([^)]*\)(?:: [^=]+)? =>.*$/,
];
const NO_NAMES = new Set(["if", "for", "while", "switch", "catch", "return", "describe", "test"]);

/**
 * Functions by indentation: one ends at the first later line that is no deeper than it and closes a block. The formatter
 * keeps that true.
 * @param {string[]} lines @returns {{ name: string, line: number, length: number }[]}
 */
function functionsOf(lines) {
  return lines.flatMap((text, at) => {
    const found = OPENS.map((pattern) => pattern.exec(text)).find((match) => match && !NO_NAMES.has(match[2] ?? ""));
    if (!found) return [];
    const [, indent = "", name = ""] = found;
    const end = lines.findIndex((line, later) => later > at && line.startsWith(`${indent}}`) && !/\{$/.test(line));
    const next = lines.findIndex((line, later) => later > at && line !== "" && !/^\s*[)}\]]/.test(line) && !line.startsWith(`${indent} `)); // biome-ignore format: one question
    const isClosed = end > 0 && (next < 0 || end < next);
    return isClosed ? [{ name, line: at + 1, length: end - at + 1 }] : [];
  });
}

const table = folders
  .flatMap(filesOf)
  .filter((path) => /\.(ts|js|mjs)$/.test(path) && !path.endsWith(".d.ts"))
  .map((path) => ({ path, lines: readFileSync(join(root, path), "utf8").trimEnd().split("\n") }))
  .sort((a, b) => b.lines.length - a.lines.length);
const long = table
  .flatMap(({ path, lines }) => functionsOf(lines).map((one) => ({ path, ...one })))
  .filter(({ length }) => length > FUNCTION)
  .sort((a, b) => b.length - a.length);
const large = table.filter(({ path, lines }) => lines.length > (path.startsWith("test") ? TEST : FILE));
const total = table.reduce((sum, { lines }) => sum + lines.length, 0);

for (const { path, lines } of table) console.log(`${String(lines.length).padStart(5)}  ${path}`);
console.log(`${String(total).padStart(5)}  lines in ${table.length} files\n`);
console.log(`Functions of more than ${FUNCTION} lines: ${long.length || "none"}`);
for (const { path, line, name, length } of long) console.log(`${String(length).padStart(5)}  ${name}  ${path}:${line}`);
console.log(`Files that are too long: ${large.map(({ path }) => path).join(", ") || "none"}`);
process.exitCode = large.length > 0 ? 1 : 0;
