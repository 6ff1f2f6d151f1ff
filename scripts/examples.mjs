// Runs every example and sees that it ends well: npm run examples [-- name …]
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const LONGEST = 60_000; // ms; an example takes some seconds, on a busy machine more
const folder = fileURLToPath(new URL("../examples/", import.meta.url));
const all = readdirSync(folder).filter((name) => name.endsWith(".mjs"));
const wanted = process.argv.slice(2);
const names = all.filter((name) => wanted.length === 0 || wanted.includes(name.replace(/\.mjs$/, "")));

if (!existsSync(new URL("../dist/index.js", import.meta.url))) {
  console.error("dist/: expected the built package, got nothing. Run npm run build.");
  process.exit(2);
}
if (names.length === 0) {
  console.error(`examples: expected one of ${all.join(", ")}, got ${wanted.join(", ")}.`);
  process.exit(2);
}

/**
 * Why an example did not end well; undefined when it did.
 * @param {import("node:child_process").SpawnSyncReturns<string>} ran
 */
const faultOf = ({ status, signal, error }) => {
  if (error && "code" in error && error.code === "ETIMEDOUT")
    return `expected it to end within ${LONGEST / 1000} s, got no end`;
  if (error) return error.message;
  if (signal) return `expected it to end by itself, got ${signal}`;
  return status === 0 ? undefined : `expected the exit code 0, got ${status}`;
};

const failed = names.flatMap((name) => {
  const start = performance.now();
  const ran = spawnSync(process.execPath, [folder + name], { encoding: "utf8", timeout: LONGEST });
  const fault = faultOf(ran);
  console.log(`${fault ? "FAILED" : "ok    "} ${name}  ${((performance.now() - start) / 1000).toFixed(1)} s`);
  console.log(ran.stdout.replace(/^(?=.)/gm, "  "));
  if (fault) console.error(`examples/${name}: ${fault}.\n${ran.stderr}`);
  return fault ? [name] : [];
});
if (failed.length > 0) console.error(`${failed.length} of ${names.length} examples failed: ${failed.join(", ")}`);
process.exitCode = failed.length > 0 ? 1 : 0;
