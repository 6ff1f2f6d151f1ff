import { userError } from "../errors.ts";
import type { Files } from "../platform/files.ts";

const endings = [".avif", ".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"];

const isPicture = (name: string): boolean => endings.some((ending) => name.toLowerCase().endsWith(ending));
const byCode = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Deeper than this a folder is taken for a link that leads back to itself. */
const deepest = 32;

type Lister = Pick<Files, "exists" | "list" | "size">;

/**
 * The picture files of folders (with those below), single files, and patterns with * (within a name), ** (across
 * folders) and ?, each file once, sorted by code units, so that every machine lists them alike. Hidden files are left
 * out.
 */
export async function listPictures(sources: readonly string[], files: Lister): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const source of sources)
    for (const path of await expand(source.replace(/(?<=.)\/+$/, ""), files)) found.add(path);
  return [...found].sort(byCode);
}

/** A path from the folder on; files of the folder "." are listed without it. */
export const nameBelow = (folder: string, path: string): string =>
  path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : path;

async function expand(source: string, files: Lister): Promise<readonly string[]> {
  if ((await files.size(source)) !== undefined) return [source];
  if (!/[*?]/.test(source) || (await files.exists(source))) {
    const pictures = await walk(source, files);
    if (pictures.length > 0) return pictures;
    throw userError(
      source,
      "expected a folder with pictures, got one without",
      `Pictures end in ${endings.join(", ")}.`,
    );
  }
  const pattern = patternOf(source);
  const pictures = (await walk(rootOf(source), files)).filter((path) => pattern.test(path));
  if (pictures.length > 0) return pictures;
  throw userError(source, "expected a pattern that pictures fit, got none that do", "Check the pattern.");
}

async function walk(folder: string, files: Lister, depth = 0): Promise<string[]> {
  if (depth > deepest)
    throw userError(
      folder,
      `expected folders at most ${deepest} deep, got more`,
      "Does a link lead back to its own folder?",
    );
  const found: string[] = [];
  for (const { name, isFolder } of await files.list(folder)) {
    if (name.startsWith(".")) continue;
    const path = folder === "." ? name : `${folder === "/" ? "" : folder}/${name}`;
    if (isFolder) found.push(...(await walk(path, files, depth + 1)));
    else if (isPicture(name)) found.push(path);
  }
  return found;
}

/** The folder that a pattern starts from: all before the first part with a wildcard. */
function rootOf(pattern: string): string {
  const parts = pattern.split("/");
  const fixed = parts.slice(
    0,
    parts.findIndex((part) => /[*?]/.test(part)),
  );
  return fixed.length === 0 ? "." : fixed.join("/") || "/";
}

const patternOf = (pattern: string): RegExp => {
  const tokens = pattern.replace(/^\.\//, "").match(/\*\*\/|\*\*|\*|\?|[^*?]+/g) ?? [];
  const wild: Readonly<Record<string, string>> = { "**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]" };
  return new RegExp(`^${tokens.map((token) => wild[token] ?? token.replace(/[.+^${}()|[\]\\]/g, "\\$&")).join("")}$`);
};
