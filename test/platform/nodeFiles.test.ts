import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { listPictures } from "../../src/data/folder.ts";
import { UserError } from "../../src/errors.ts";
import { fileError, nodeFiles, refuseExisting } from "../../src/platform/nodeFiles.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "imago-files-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function* pieces(...parts: readonly (readonly [at: number, text: string])[]) {
  for (const [at, text] of parts) yield { at, bytes: new TextEncoder().encode(text) };
}

describe("files", () => {
  test("write makes the folders and replaces; append adds", async () => {
    const path = `${folder}/a/b/c.txt`;
    await nodeFiles.write(path, "one");
    await nodeFiles.write(path, new TextEncoder().encode("zwei"));
    await nodeFiles.append(path, "\ndrei");
    expect(await readFile(path, "utf8")).toBe("zwei\ndrei");
    expect(await nodeFiles.size(path)).toBe(9);
    expect(new TextDecoder().decode(await nodeFiles.read(path))).toBe("zwei\ndrei");
    expect(await nodeFiles.sha256(path)).toBe(createHash("sha256").update("zwei\ndrei").digest("hex"));
    expect(await readdir(`${folder}/a/b`)).toEqual(["c.txt"]);
  });

  test("a file is written and read in pieces", async () => {
    const path = `${folder}/a`;
    await nodeFiles.write(path, pieces([4, "ef"], [0, "abcd"], [6, "g"]));
    expect(await readFile(path, "utf8")).toBe("abcdefg");
    const read = async (begin: number, end: number) =>
      Buffer.from(await nodeFiles.readRange(path, begin, end)).toString();
    expect([await read(0, 3), await read(5, 99), await read(9, 12)]).toEqual(["abc", "fg", ""]);
  });

  test("pieces that fail leave the old content, nothing else, and their own error", async () => {
    const path = `${folder}/a`;
    await nodeFiles.write(path, "old");
    async function* failing() {
      yield* pieces([0, "new"]);
      throw new Error("no more of it");
    }
    await expect(nodeFiles.write(path, failing())).rejects.toThrow(/^no more of it$/);
    expect(await readdir(folder)).toEqual(["a"]);
    expect(await readFile(path, "utf8")).toBe("old");
  });

  test("a failed write leaves nothing behind", async () => {
    await mkdir(`${folder}/taken/inside`, { recursive: true });
    await expect(nodeFiles.write(`${folder}/taken`, "x")).rejects.toThrow(UserError);
    expect(await readdir(folder)).toEqual(["taken"]);
  });

  test("tells what is there", async () => {
    await nodeFiles.write(`${folder}/a`, "");
    expect(await nodeFiles.size(`${folder}/a`)).toBe(0);
    expect(await nodeFiles.size(folder)).toBeUndefined();
    expect(await nodeFiles.size(`${folder}/b`)).toBeUndefined();
    expect(await nodeFiles.size(`${folder}/a/b`)).toBeUndefined();
    expect([await nodeFiles.exists(folder), await nodeFiles.exists(`${folder}/b`)]).toEqual([true, false]);
    await nodeFiles.remove(`${folder}/b`);
    await nodeFiles.rename(`${folder}/a`, `${folder}/c`);
    expect(await nodeFiles.list(folder)).toEqual([{ name: "c", isFolder: false }]);
  });

  test.each<[string, (path: string) => Promise<unknown>, RegExp]>([
    [
      "reading nothing",
      (path) => nodeFiles.read(`${path}/none`),
      /none: expected a file that can be read, got nothing with that name\. Check/,
    ],
    [
      "reading a folder",
      (path) => nodeFiles.read(path),
      /expected a file that can be read, got a folder\. Name a file/,
    ],
    ["listing nothing", (path) => nodeFiles.list(`${path}/none`), /expected a folder that can be read, got nothing/],
    [
      "listing a file",
      (path) => nodeFiles.list(`${path}/file`),
      /expected a folder that can be read, got a name below a file/,
    ],
    ["writing below a file", (path) => nodeFiles.write(`${path}/file/x`, ""), /got a name/],
    [
      "appending to a folder",
      (path) => nodeFiles.append(path, "x"),
      /expected a file that can be written, got a folder/,
    ],
    ["summing nothing", (path) => nodeFiles.sha256(`${path}/none`), /got nothing with that name/],
  ])("%s is the user's error", async (_, act, message) => {
    await writeFile(`${folder}/file`, "");
    await expect(act(folder)).rejects.toThrow(UserError);
    await expect(act(folder)).rejects.toThrow(message);
  });

  test.each([
    ["ENOSPC", "out: expected a file, got a full disk. Free some space and run it again."],
    ["EROFS", "out: expected a file, got a place on a read-only disk. Choose another place."],
    [
      "EACCES",
      "out: expected a file, got one that your user may not open. Change its permissions or choose another place.",
    ],
    ["EIO", "out: expected a file, got input/output error."],
  ])("%s has its own words", (code, message) => {
    const error = Object.assign(new Error("input/output error"), { code });
    expect(fileError("out", "a file", error).message).toBe(message);
  });

  test("existing files are refused unless forced", async () => {
    await writeFile(`${folder}/a.png`, "");
    await expect(refuseExisting(`${folder}/a.png`, false)).rejects.toThrow(UserError);
    await refuseExisting(`${folder}/a.png`, true);
    await refuseExisting(`${folder}/b.png`, false);
  });
});

describe("locks", () => {
  const path = () => `${folder}/run.lock`;

  test("hold off a second taker until given back, and leave nothing", async () => {
    const release = await nodeFiles.lock(path());
    await expect(nodeFiles.lock(path())).rejects.toThrow(
      new RegExp(`run\\.lock: expected a free lock, got one held by process ${process.pid} on `),
    );
    expect(await readdir(folder)).toEqual(["run.lock"]);
    await release();
    expect(await readdir(folder)).toEqual([]);
    await (await nodeFiles.lock(path()))();
  });

  test("of a process that runs count, those of a killed one do not", async () => {
    const child = spawn(process.execPath, ["-e", "setInterval(() => 0, 1000); console.log('up')"]);
    await once(child.stdout, "data");
    const stat = await readFile(`/proc/${child.pid}/stat`, "utf8").catch(() => "");
    const started = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
    await writeFile(path(), JSON.stringify({ host: hostname(), process: child.pid, started }));
    await expect(nodeFiles.lock(path())).rejects.toThrow(`held by process ${child.pid}`);
    child.kill("SIGKILL");
    await once(child, "exit");
    await (await nodeFiles.lock(path()))();
  });

  test.runIf(process.platform === "linux")("of an earlier process with the same number do not count", async () => {
    await writeFile(path(), JSON.stringify({ host: hostname(), process: process.pid, started: "1" }));
    await (await nodeFiles.lock(path()))();
  });

  test("of another machine count, and the error says what to do", async () => {
    await writeFile(path(), JSON.stringify({ host: "elsewhere", process: 1, started: "" }));
    await expect(nodeFiles.lock(path())).rejects.toThrow(/process 1 on elsewhere\. .*remove this file/);
  });

  test("that make no sense do not count", async () => {
    await writeFile(path(), "");
    await (await nodeFiles.lock(path()))();
  });

  test("of many takers at once, one gets it", async () => {
    await writeFile(path(), JSON.stringify({ host: hostname(), process: 2 ** 22 + 1, started: "" }));
    const takers = await Promise.allSettled(Array.from({ length: 8 }, () => nodeFiles.lock(path())));
    expect(takers.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(await readdir(folder)).toEqual(["run.lock"]);
  });
});

describe("listing pictures", () => {
  beforeEach(async () => {
    for (const name of [
      "b.png",
      "a.JPG",
      "sub/c.webp",
      "sub/deep/d.bmp",
      "notes.txt",
      ".hidden.png",
      ".git/x.png",
      "Z.tiff",
    ])
      await nodeFiles.write(`${folder}/set/${name}`, "");
  });
  const list = async (...sources: string[]) =>
    (
      await listPictures(
        sources.map((source) => `${folder}/set${source}`),
        nodeFiles,
      )
    ).map((path) => path.slice(folder.length + 5));

  test.each<[string[], string[]]>([
    [[""], ["Z.tiff", "a.JPG", "b.png", "sub/c.webp", "sub/deep/d.bmp"]],
    [["/"], ["Z.tiff", "a.JPG", "b.png", "sub/c.webp", "sub/deep/d.bmp"]],
    [
      ["/sub", "/b.png", "/sub/deep"],
      ["b.png", "sub/c.webp", "sub/deep/d.bmp"],
    ],
    [["/*.png"], ["b.png"]],
    [["/**/*.???"], ["a.JPG", "b.png", "sub/deep/d.bmp"]],
    [["/*/*"], ["sub/c.webp"]],
    [["/notes.txt"], ["notes.txt"]],
  ])("%j gives %j", async (sources, expected) => {
    expect(await list(...sources)).toEqual(expected);
  });

  test.each([
    ["/none", /none: expected a folder that can be read, got nothing/],
    ["/*.gif", /expected a pattern that pictures fit/],
  ])("%s is refused", async (source, message) => {
    await expect(list(source)).rejects.toThrow(UserError);
    await expect(list(source)).rejects.toThrow(message);
  });

  test("a folder without pictures is named", async () => {
    await mkdir(`${folder}/set/empty`);
    await expect(list("/empty")).rejects.toThrow(/empty: expected a folder with pictures, got one without/);
  });

  test("a name that has a star in it is a name", async () => {
    await nodeFiles.write(`${folder}/set/a*.png`, "");
    await nodeFiles.write(`${folder}/set/ab.png`, "");
    expect(await list("/a*.png")).toEqual(["a*.png"]);
  });

  test("links are followed; one that leads back is named, one that leads nowhere left out", async () => {
    await symlink(`${folder}/set/b.png`, `${folder}/set/sub/link.png`);
    await symlink(`${folder}/set/none.png`, `${folder}/set/sub/broken.png`);
    expect(await list("/sub")).toEqual(["sub/c.webp", "sub/deep/d.bmp", "sub/link.png"]);
    await symlink(`${folder}/set`, `${folder}/set/sub/loop`);
    await expect(list("")).rejects.toThrow(/deep/);
  });
});
