import { execFile, spawn } from "node:child_process";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writePicture } from "../../src/platform/codec.ts";
import { photograph, temporaryFolder } from "../tasks/support.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const dist = join(root, "dist-spawn.tmp");
const script = join(dist, "cli/main.js");

beforeAll(async () => {
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  // What others are changing at the moment may not type-check; it is emitted all the same.
  await promisify(execFile)(process.execPath, [compiler, "-p", "tsconfig.build.json", "--outDir", dist, "--emitDeclarationOnly", "false"], { cwd: root }).catch(() => {}); // biome-ignore format: one line
});

afterAll(() => rm(dist, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the built command; `watch` sees what has come on stderr so far. */
function start(argv: readonly string[], watch: (err: string, stop: () => void) => void = () => {}): Promise<Ended> {
  const child = spawn(process.execPath, [script, ...argv], { cwd: root });
  let [out, err] = ["", ""];
  child.stdout.on("data", (data) => {
    out += data;
  });
  child.stderr.on("data", (data) => {
    err += data;
    watch(err, () => child.kill("SIGINT"));
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, out, err }));
  });
}

test("help comes quickly, without sharp and ONNX Runtime", async () => {
  const begin = performance.now();
  const { code, out, err } = await start(["--help"]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out).toContain("imago <command> --help");
  expect(performance.now() - begin).toBeLessThan(3000); // 0.15 s where nothing else runs
});

test("what is wrong goes to stderr, exit 2", async () => {
  const message = "--tile: expected a whole number from 32 to 1024 (pixels), got 12.5.\n";
  expect(await start(["upscale", "x.png", "--tile", "12.5"])).toEqual({ code: 2, out: "", err: message });
});

test("one JSON document on stdout", async () => {
  const folder = await temporaryFolder();
  await writePicture(join(folder, "a.png"), photograph(30, 20));
  const { code, out, err } = await start(["upscale", join(folder, "a.png"), "--method", "bicubic", "--json"]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(JSON.parse(out)).toMatchObject({ files: [{ width: 60, height: 40 }] });
});

test("Ctrl-C stops a training: saved, exit 130; it goes on from there", async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, "photos"));
  await writePicture(join(folder, "photos/a.png"), photograph(48, 40));
  const run = join(folder, "run");
  const small = ["--form", "9-1-5", "--patch", "16", "--batch", "1", "--log", "1", "--threads", "1"];
  let isStopped = false;
  const argv = ["train", "srcnn", "--data", join(folder, "photos"), "--run", run, "--steps", "100000", ...small];
  const stopped = await start(argv, (text, stop) => {
    if (isStopped || !/step 3\//.test(text)) return;
    isStopped = true;
    stop();
    stop(); // as npm does, which passes the signal on a second time
  });
  expect(stopped.code).toBe(130);
  expect(stopped.err).toContain(`Go on with: imago train --resume ${run}\n`);
  const files = await readdir(run);
  expect(files).toContain("checkpoint.safetensors");
  expect(files).not.toContain("run.lock");
  const done = Number(/Stopped after step ([\d,]+)/.exec(stopped.err)![1]!.replace(",", ""));
  const { code, err } = await start(["train", "--resume", run, "--steps", String(done + 2)]);
  expect(code).toBe(0);
  expect(err).toContain(`step ${(done + 1).toLocaleString("en-US")}/`);
});
