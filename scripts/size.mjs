// Prints the files by lines, then the functions of src of more than 40 lines; exits with 1 when there is one, or when a file has more
// than 300 lines (a test: 500).
// node scripts/size.mjs [folder …]
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { functionsOf } from "./functions.mjs";

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

const table = folders
  .flatMap(filesOf)
  .filter((path) => /\.(ts|js|mjs)$/.test(path) && !path.endsWith(".d.ts"))
  .map((path) => ({ path, lines: readFileSync(join(root, path), "utf8").trimEnd().split("\n") }))
  .sort((a, b) => b.lines.length - a.lines.length);
const long = ["tsconfig.json", "tsconfig.web.json"]
  .flatMap((project) => functionsOf(join(root, project)))
  .map((one) => ({ ...one, path: relative(root, one.path) }))
  .filter(({ path, length }) => /^src[/\\]/.test(path) && length > FUNCTION)
  .sort((a, b) => b.length - a.length);
const large = table.filter(({ path, lines }) => lines.length > (path.startsWith("test") ? TEST : FILE));
const total = table.reduce((sum, { lines }) => sum + lines.length, 0);

for (const { path, lines } of table) console.log(`${String(lines.length).padStart(5)}  ${path}`);
console.log(`${String(total).padStart(5)}  lines in ${table.length} files\n`);
console.log(`Functions of src of more than ${FUNCTION} lines: ${long.length || "none"}`);
for (const { path, line, name, length } of long) console.log(`${String(length).padStart(5)}  ${name}  ${path}:${line}`);
console.log(`Files that are too long: ${large.map(({ path }) => path).join(", ") || "none"}`);
process.exitCode = large.length > 0 || long.length > 0 ? 1 : 0;
