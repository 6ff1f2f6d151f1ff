// Makes dist/: types by the TypeScript compiler, code bundled and shrunk by esbuild so that the package stays small.
import { spawnSync } from "node:child_process";
import { chmodSync, rmSync } from "node:fs";
import { build } from "esbuild";
import { node, worker } from "./node.mjs";
import { web } from "./web.mjs";

rmSync("dist", { recursive: true, force: true });
for (const project of ["tsconfig.build.json", "tsconfig.build.web.json"]) {
  const typed = spawnSync("npx", ["tsc", "-p", project], { stdio: "inherit" });
  if (typed.status !== 0) process.exit(typed.status ?? 1);
}
const shared = /** @type {const} */ ({
  outdir: "dist",
  minify: true,
  charset: "utf8",
});
await build({
  entryPoints: [
    { in: "src/index.ts", out: "index" },
    { in: "src/node.ts", out: "node" },
    { in: "src/cli/main.ts", out: "cli/main" },
    { in: worker, out: "lib/node.worker" }, // beside the chunk that starts it
  ],
  ...node,
  ...shared,
  chunkNames: "lib/[name]-[hash]", // two folders deep, as the sources that look for package.json and models/
  splitting: true,
});
await build({ ...web, ...shared });
chmodSync("dist/cli/main.js", 0o755);
