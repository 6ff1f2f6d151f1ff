import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url));

/** A fenced block of a page. */
export interface Block {
  /** "ts", "sh", "text". */
  readonly language: string;
  /** The word after the language: "run" for what runs as a test, "output" for what it must print. */
  readonly mark: string;
  readonly text: string;
  /** Line of the page, from 1. */
  readonly line: number;
}

/** A document and its blocks. */
export interface Page {
  /** Path from the root, "docs/engine.md". */
  readonly path: string;
  readonly text: string;
  readonly blocks: readonly Block[];
}

const fences = /^```(\w*) ?(\w*)\n([\s\S]*?)^```$/gm;

const blocksOf = (text: string): readonly Block[] =>
  [...text.matchAll(fences)].map((found) => {
    const [, language, mark, body] = found as unknown as readonly [string, string, string, string];
    return { language, mark, text: body, line: text.slice(0, found.index).split("\n").length };
  });

const readPage = (path: string): Page => {
  const text = readFileSync(root + path, "utf8");
  return { path, text, blocks: blocksOf(text) };
};

const inFolder = (folder: string): readonly string[] =>
  readdirSync(root + folder)
    .filter((name) => name.endsWith(".md"))
    .map((name) => `${folder}/${name}`);

/** README.md, CONTRIBUTING.md and everything in docs/. */
export const pages: readonly Page[] = ["README.md", "CONTRIBUTING.md", ...inFolder("docs"), ...inFolder("docs/decisions")].map(readPage); // biome-ignore format: one line

/** The words of one line for a shell, quotes taken off; what follows a # is a remark. */
export function wordsOf(line: string): readonly string[] {
  const words: readonly string[] = line.match(/'[^']*'|"[^"]*"|[^\s'"]+/g) ?? [];
  const end = words.indexOf("#");
  return (end < 0 ? words : words.slice(0, end)).map((word) => word.replace(/^(['"])(.*)\1$/, "$2"));
}

/** Every command of a page, as words, without the variables set before it: lines of shell blocks, parted at &&, and inline code that begins with imago. */
export function commandsOf({ text, blocks }: Page): readonly (readonly string[])[] {
  const lines = blocks
    .filter(({ language }) => ["sh", ""].includes(language))
    .flatMap((block) => block.text.replaceAll("\\\n", " ").split("\n"))
    .flatMap((line) => line.replace(/\s#.*$/, "").split("&&"));
  const inline = [...text.replace(fences, "").matchAll(/`((?:npx )?imago [^`]+)`/g)].map(([, command]) => command!);
  return [...lines, ...inline]
    .map((line) => wordsOf(line.replace(/^\s*(?:[A-Z_]+=\S+\s+)+/, "")))
    .filter(({ length }) => length > 0);
}
