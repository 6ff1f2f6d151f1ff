import * as is from "typescript/unstable/ast/is";
import { API } from "typescript/unstable/sync"; // the one way to TypeScript 7's parser; the version is pinned

const KINDS = [
  is.isFunctionDeclaration,
  is.isFunctionExpression,
  is.isArrowFunction,
  is.isMethodDeclaration,
  is.isConstructorDeclaration,
  is.isGetAccessorDeclaration,
  is.isSetAccessorDeclaration,
];

/** Space and comments before something. */
const BEFORE = /^(?:\s|\/\/.*|\/\*[\s\S]*?\*\/)*/;

/**
 * The functions of a project with their lines, those inside others too: from the name or the first parameter to the closing brace,
 * without the comments before.
 * @param {string} project path of a tsconfig.json
 * @returns {{ path: string, name: string, line: number, length: number }[]}
 */
export function functionsOf(project) {
  const api = new API();
  try {
    const [opened] = api.updateSnapshot({ openProject: project }).getProjects();
    if (!opened) throw new Error(`${project}: expected a project, got none`);
    return opened.rootFiles.flatMap((path) => {
      const file = opened.program.getSourceFile(path);
      return file ? functionsIn(file).map((one) => ({ path, ...one })) : [];
    });
  } finally {
    api.close();
  }
}

/** @param {import("typescript/unstable/ast").SourceFile} file */
function functionsIn(file) {
  /** @type {{ name: string, line: number, length: number }[]} */
  const found = [];
  const lineAt = (/** @type {number} */ at) => file.text.slice(0, at).split("\n").length;
  const visit = (/** @type {import("typescript/unstable/ast").Node} */ node) => {
    if (KINDS.some((isKind) => isKind(node))) {
      const before = BEFORE.exec(file.text.slice(node.pos, node.end))?.[0].length ?? 0;
      const line = lineAt(node.pos + before);
      found.push({ name: nameOf(node), line, length: lineAt(node.end) - line + 1 });
    }
    node.forEachChild((child) => void visit(child));
  };
  visit(file);
  return found;
}

/** Its own name, else that of what it is given to. @param {import("typescript/unstable/ast").Node} node @returns {string} */
function nameOf(node) {
  const { name, parent } = /** @type {{ name?: { text?: string }, parent?: { name?: { text?: string } } }} */ (node);
  return name?.text ?? parent?.name?.text ?? "a function";
}
