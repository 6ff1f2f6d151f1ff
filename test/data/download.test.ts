import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateRawSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { catalog, type DataSet } from "../../src/data/catalog.ts";
import { findDataSet, type PullOptions, type PullTick, pull } from "../../src/data/download.ts";
import { UserError } from "../../src/errors.ts";
import { nodeFiles } from "../../src/platform/nodeFiles.ts";
import { unzip } from "../../src/platform/unzip.ts";

let folder: string;
let server: Server;
let address: string;
/** What the server does; replaced by each test. */
let serve: (request: IncomingMessage, response: ServerResponse) => void;
/** The Range header of each request. */
const ranges: (string | undefined)[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "imago-pull-"));
  ranges.length = 0;
  server = createServer((request, response) => {
    ranges.push(request.headers.range);
    serve(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

const content = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) >> 3));
const sumOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

const setOf = (bytes: Uint8Array, name = "digits.gz"): DataSet => ({
  name: "toy",
  summary: "",
  page: "",
  terms: "",
  downloads: [{ url: `${address}/${name}`, name, bytes: bytes.length, sha256: sumOf(bytes) }],
});

/** Serves bytes and understands ranges; `cut` ends the connection after so many bytes of an answer. */
const whole =
  (bytes: Uint8Array, cut: (request: number) => number = () => Number.POSITIVE_INFINITY) =>
  (request: IncomingMessage, response: ServerResponse): void => {
    const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const rest = bytes.subarray(start);
    response.writeHead(start > 0 ? 206 : 200, {
      "content-length": rest.length,
      ...(start > 0 && { "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` }),
    });
    const sent = rest.subarray(0, cut(ranges.length));
    response.write(sent, () => (sent.length < rest.length ? response.destroy() : response.end()));
  };

const collect = async (dataSet: DataSet, options: Partial<PullOptions> = {}): Promise<PullTick[]> => {
  const ticks: PullTick[] = [];
  for await (const tick of pull(dataSet, folder, { files: nodeFiles, unzip, pauseMs: 1, ...options })) ticks.push(tick);
  return ticks;
};

const filesIn = async (path = ""): Promise<string[]> => (await readdir(join(folder, path))).sort();

describe("a download", () => {
  test("arrives whole, under its name", async () => {
    serve = whole(content);
    const ticks = await collect(setOf(content));
    expect(await readFile(`${folder}/toy/digits.gz`)).toEqual(content);
    expect(await filesIn()).toEqual(["toy"]);
    expect(await filesIn("toy")).toEqual(["digits.gz"]);
    expect(ticks.at(-1)).toMatchObject({ kind: "done", file: `${folder}/toy` });
    expect(ticks).toContainEqual({ kind: "fetch", file: "digits.gz", done: 300_000, total: 300_000 });
  });

  test("is not fetched again", async () => {
    serve = whole(content);
    await collect(setOf(content));
    await collect(setOf(content));
    expect(ranges).toHaveLength(1);
  });

  test("that is cut off again and again goes on where it stopped", async () => {
    serve = whole(content, () => 70_000);
    await collect(setOf(content), { retries: 0 });
    expect(await readFile(`${folder}/toy/digits.gz`)).toEqual(content);
    expect(ranges.length).toBeGreaterThanOrEqual(5);
    expect(ranges.slice(1).every((range) => /^bytes=[1-9]\d*-$/.test(range!))).toBe(true);
  });

  test("that never goes on fails, and the next call goes on from the bytes kept", async () => {
    serve = whole(content, (request) => (request === 1 ? 100_000 : 0));
    await expect(collect(setOf(content), { retries: 2 })).rejects.toThrow(
      /expected 300000 bytes, got \d+ \(.*run it again; it goes on/,
    );
    expect(ranges).toHaveLength(4); // one that brought something, three that did not
    const kept = (await readFile(`${folder}/toy/digits.gz.part`)).length;
    expect(kept).toBeGreaterThan(0);
    serve = whole(content);
    await collect(setOf(content));
    expect(ranges.at(-1)).toBe(`bytes=${kept}-`);
    expect(await readFile(`${folder}/toy/digits.gz`)).toEqual(content);
  });

  test("from a server without ranges starts again", async () => {
    let request = 0;
    serve = (_, response) => {
      response.writeHead(200);
      const sent = request++ === 0 ? content.subarray(0, 50_000) : content;
      response.write(sent, () => (request === 1 ? response.destroy() : response.end()));
    };
    await collect(setOf(content));
    expect(await readFile(`${folder}/toy/digits.gz`)).toEqual(content);
  });

  test("whose range the server answers with another one starts again", async () => {
    serve = (request, response) => {
      if (!request.headers.range) return whole(content)(request, response);
      response.writeHead(206, { "content-range": `bytes 0-${content.length - 1}/${content.length}` });
      response.end(content);
    };
    await nodeFiles.write(`${folder}/toy/digits.gz.part`, content.subarray(0, 1000));
    await collect(setOf(content));
    expect(await readFile(`${folder}/toy/digits.gz`)).toEqual(content);
  });

  test("with a wrong sum is removed, and the error names both sums", async () => {
    const other = content.map((value, i) => (i === 5 ? value ^ 1 : value));
    serve = whole(other);
    await expect(collect(setOf(content))).rejects.toThrow(`expected SHA-256 ${sumOf(content)}, got ${sumOf(other)}`);
    expect(await filesIn("toy")).toEqual([]);
    serve = whole(content);
    await collect(setOf(content));
  });

  test("of too many bytes is refused", async () => {
    serve = whole(Buffer.concat([content, content]));
    await expect(collect(setOf(content))).rejects.toThrow(/expected 300000 bytes, got more/);
  });

  test.each([404, 403])("answered with %i is refused at once", async (status) => {
    serve = (_, response) => response.writeHead(status).end("no");
    await expect(collect(setOf(content))).rejects.toThrow(`expected the file, got the answer ${status}`);
    expect(ranges).toHaveLength(1);
  });

  test("answered with 503 is tried again", async () => {
    serve = (request, response) =>
      ranges.length < 3 ? void response.writeHead(503).end() : whole(content)(request, response);
    await collect(setOf(content));
    expect(ranges).toHaveLength(3);
  });

  test("from a server that falls silent is cut off and goes on", async () => {
    serve = (request, response) => {
      if (ranges.length > 1) return whole(content)(request, response);
      response.writeHead(200, { "content-length": content.length });
      response.write(content.subarray(0, 40_000));
    };
    await collect(setOf(content), { stallMs: 100 });
    expect(await readFile(`${folder}/toy/digits.gz`)).toEqual(content);
    expect(ranges[1]).toBe("bytes=40000-");
  });

  test("from nowhere names the address", async () => {
    const gone = { ...setOf(content).downloads[0]!, url: "http://127.0.0.1:1/digits.gz" };
    await expect(collect({ ...setOf(content), downloads: [gone] }, { retries: 1 })).rejects.toThrow(
      /^http:\/\/127\.0\.0\.1:1\/digits\.gz: expected 300000 bytes, got 0 \(/,
    );
  });

  test("that is aborted keeps what it has, and gives the lock back", async () => {
    const end = new AbortController();
    serve = (_, response) => {
      response.writeHead(200, { "content-length": content.length });
      response.write(content.subarray(0, 40_000));
      setTimeout(() => end.abort(), 50);
    };
    await expect(collect(setOf(content), { signal: end.signal })).rejects.toThrow(/abort/i);
    expect((await readFile(`${folder}/toy/digits.gz.part`)).length).toBe(40_000);
    expect(await filesIn()).toEqual(["toy"]);
  });
});

/** A zip file by the format's definition; one local header, data and one central entry per file. */
function zipOf(entries: Readonly<Record<string, Uint8Array>>): Buffer {
  const [parts, central]: [Buffer[], Buffer[]] = [[], []];
  let offset = 0;
  for (const [name, bytes] of Object.entries(entries)) {
    const packed = deflateRawSync(bytes);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), common, Buffer.from(name), packed]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    central.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\x00"), common, rest, Buffer.from(name)]));
    parts.push(local);
    offset += local.length;
  }
  const end = Buffer.alloc(18);
  end.writeUInt16LE(central.length, 4);
  end.writeUInt16LE(central.length, 6);
  end.writeUInt32LE(Buffer.concat(central).length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...parts, ...central, Buffer.from("PK\x05\x06"), end]);
}

describe("an archive", () => {
  const files = {
    "DIV2K/": Buffer.alloc(0),
    "DIV2K/0001.png": content,
    "DIV2K/sub/2.png": Buffer.from("two"),
    "__MACOSX/x": content,
  };

  test("is unpacked into the data set's folder and removed", async () => {
    const zip = zipOf(files);
    serve = whole(zip, () => 100_000);
    const ticks = await collect(setOf(zip, "toy.zip"));
    expect(await filesIn()).toEqual(["toy"]);
    expect(await filesIn("toy/DIV2K")).toEqual(["0001.png", "sub"]);
    expect(await readFile(`${folder}/toy/DIV2K/0001.png`)).toEqual(content);
    expect(await readFile(`${folder}/toy/DIV2K/sub/2.png`, "utf8")).toBe("two");
    expect(ticks.filter(({ kind }) => kind === "unpack")).toEqual([
      { kind: "unpack", file: "DIV2K/0001.png", done: 2, total: 4 },
      { kind: "unpack", file: "DIV2K/sub/2.png", done: 3, total: 4 },
    ]);
    const asked = ranges.length;
    await collect(setOf(zip, "toy.zip"));
    expect(ranges).toHaveLength(asked);
  });

  test("left half unpacked by a crash is unpacked anew, without another download", async () => {
    const zip = zipOf(files);
    serve = whole(zip);
    await writeFile(`${folder}/toy.zip`, zip);
    await nodeFiles.write(`${folder}/toy.unpacking/DIV2K/stale.png`, "half");
    await collect(setOf(zip, "toy.zip"));
    expect(ranges).toHaveLength(0);
    expect(await filesIn("toy/DIV2K")).toEqual(["0001.png", "sub"]);
  });

  test.each([
    ["a name that leads out", () => zipOf({ "../evil.txt": content })],
    ["a name from the root", () => zipOf({ "/evil.txt": content })],
    ["no zip at all", () => content],
    ["one cut short", () => zipOf(files).subarray(0, -30)],
    ["damaged data", () => zipOf(files).map((value, i) => (i > 200 && i < 400 ? 0xff : value))],
  ])("%s is refused, and nothing appears under the set's name", async (_, make) => {
    const zip = Buffer.from(make());
    serve = whole(zip);
    const dataSet = setOf(zip, "toy.zip");
    await expect(collect(dataSet)).rejects.toThrow(UserError);
    await expect(collect(dataSet)).rejects.toThrow(/toy\.zip: expected a zip file, got one that cannot be unpacked/);
    expect(await filesIn()).not.toContain("toy");
    expect(await filesIn()).not.toContain("evil.txt");
  });
});

describe("the catalog", () => {
  test("finds sets by name and lists all for another", () => {
    expect(findDataSet("mnist").downloads).toHaveLength(4);
    expect(() => findDataSet("minst")).toThrow(
      'data: expected one of mnist, div2k-train-hr, div2k-train-x4, div2k-valid-hr, got "minst".',
    );
  });

  test("has sums and sizes for all, and each name once", () => {
    const downloads = catalog.flatMap((one) => one.downloads);
    for (const { url, name, bytes, sha256 } of downloads) {
      expect(url.endsWith(`/${name}`)).toBe(true);
      expect(bytes).toBeGreaterThan(0);
      expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    }
    expect(new Set(downloads.map(({ sha256 }) => sha256)).size).toBe(downloads.length);
    expect(new Set(catalog.map(({ name }) => name)).size).toBe(catalog.length);
  });
});
