// Makes dist/: types and JavaScript by the TypeScript compiler, then each file shrunk by esbuild so that the package stays small.
import { spawnSync } from "node:child_process";
import { chmodSync, readdirSync, rmSync } from "node:fs";
import { build } from "esbuild";

rmSync("dist", { recursive: true, force: true });
const compiled = spawnSync("npx", ["tsc", "-p", "tsconfig.build.json"], { stdio: "inherit" });
if (compiled.status !== 0) process.exit(compiled.status ?? 1);
const files = readdirSync("dist", { recursive: true }).map((name) => `dist/${name}`);
await build({
  entryPoints: files.filter((name) => name.endsWith(".js")),
  outdir: "dist",
  outbase: "dist",
  allowOverwrite: true,
  minify: true,
  format: "esm",
  target: "node20",
});
chmodSync("dist/cli/main.js", 0o755);
