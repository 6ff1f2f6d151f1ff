import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { lock } from "../../src/platform/lock.ts";

let folder: string;
const parents: ChildProcess[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "imago-lock-"));
  const entry = fileURLToPath(new URL("../../src/platform/lock.ts", import.meta.url));
  await build({
    stdin: {
      contents: `import { lock } from ${JSON.stringify(entry)};
await lock(process.argv[2]);
console.log(process.pid);
setInterval(() => {}, 1000);`,
      resolveDir: folder,
    },
    bundle: true,
    platform: "node",
    format: "esm",
    outfile: join(folder, "holder.mjs"),
  });
});
afterEach(() => {
  for (const parent of parents.splice(0)) parent.kill("SIGKILL");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A process that takes the lock and keeps it, below a parent that never asks how it ended, as in containers. */
async function startHolder(path: string): Promise<number> {
  const script = '"$0" "$1" "$2" & exec sleep 60';
  const parent = spawn("sh", ["-c", script, process.execPath, join(folder, "holder.mjs"), path]);
  parents.push(parent);
  const [text] = (await once(parent.stdout, "data")) as [Buffer];
  return Number(text.toString());
}

const stateOf = async (id: number): Promise<string | undefined> =>
  /^State:\s+(\w)/m.exec(await readFile(`/proc/${id}/status`, "utf8").catch(() => ""))?.[1];

describe.runIf(process.platform === "linux")("a lock whose process was killed and not reaped", () => {
  test("counts while it runs; is free right after kill -9, although the zombie stays", async () => {
    const path = join(folder, "run.lock");
    const id = await startHolder(path);
    await expect(lock(path)).rejects.toThrow(`run.lock: expected a free lock, got one held by process ${id} on `);
    process.kill(id, "SIGKILL");
    const release = await lock(path);
    expect(await stateOf(id)).toBe("Z");
    expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({ host: hostname(), process: process.pid });
    await release();
    expect((await readdir(folder)).filter((name) => name.includes("lock"))).toEqual([]);
  });

  test("kill -9 of a stopped process, which ends a moment later", async () => {
    const path = join(folder, "stopped.lock");
    const id = await startHolder(path);
    process.kill(id, "SIGSTOP");
    await expect(lock(path)).rejects.toThrow(`held by process ${id}`);
    process.kill(id, "SIGKILL");
    await (await lock(path))();
  });

  test("of a zombie that was there before, a dozen takers get it one at a time", async () => {
    const path = join(folder, "many.lock");
    const id = await startHolder(path);
    process.kill(id, "SIGKILL");
    while ((await stateOf(id)) !== "Z") await new Promise((done) => setTimeout(done, 5));
    const takers = await Promise.allSettled(Array.from({ length: 12 }, () => lock(path)));
    expect(takers.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    await rm(path);
  });
});

test("a lock of a living process is refused at once, without the wait for one that ends", async () => {
  const path = join(folder, "own.lock");
  const release = await lock(path);
  const start = performance.now();
  await expect(lock(path)).rejects.toThrow("expected a free lock");
  expect(performance.now() - start).toBeLessThan(1000);
  await release();
  await writeFile(path, "");
  await (await lock(path))();
});
