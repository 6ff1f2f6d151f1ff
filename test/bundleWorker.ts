import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { TestProject } from "vitest/node";
import { node, worker } from "../scripts/node.mjs";

const absWorkingDir = fileURLToPath(new URL("..", import.meta.url));

/** Bundles the runtime's thread beside its source, where the sources under test look for it: Node 20 starts no TypeScript. */
async function bundle(): Promise<void> {
  await build({ ...node, absWorkingDir, entryPoints: [worker], outfile: worker.replace(/\.ts$/, ".js") });
}

/** What vitest does before all tests, and again when it watches and files change. */
export async function setup(project: TestProject): Promise<void> {
  await bundle();
  project.onTestsRerun(bundle);
}
