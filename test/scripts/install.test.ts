import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { root } from "../docs/pages.ts";

const json = (name: string) => JSON.parse(readFileSync(root + name, "utf8"));

/**
 * onnxruntime-node's post-install downloads CUDA libraries and, where that fails, npm drops the package. npm 11 obeys
 * `allowScripts`. npm 10 runs the scripts of packages that the lock file marks; an upgrade by `npm install` marks them again.
 */
test("npm ci runs no post-install of onnxruntime-node", () => {
  expect(json("package.json").allowScripts["onnxruntime-node"]).toBe(false);
  const locked = json("package-lock.json").packages["node_modules/onnxruntime-node"];
  expect(locked.version).toBe(json("package.json").optionalDependencies["onnxruntime-node"]);
  expect(locked.hasInstallScript, 'remove "hasInstallScript" of onnxruntime-node from package-lock.json').toBe(
    undefined,
  );
});

test("no .npmrc, whose keys npm 11 would warn of at every call", () => expect(existsSync(`${root}.npmrc`)).toBe(false));
