// @ts-check
// Serves the page beside this file, Imago and ONNX Runtime, with the headers that threads need. node examples/browser/server.mjs
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const folderOf = (/** @type {string} */ specifier) => dirname(fileURLToPath(import.meta.resolve(specifier)));
const here = dirname(fileURLToPath(import.meta.url));

/** What stands where on the site; the longest beginning counts. @type {Readonly<Record<string, string>>} */
export const folders = {
  "/": join(here, "page"),
  "/imago/": folderOf("imago/web"),
  "/onnxruntime/": folderOf("onnxruntime-web/wasm"),
  "/models/": join(folderOf("imago/package.json"), "models"),
};

/** A page gets memory that threads share only when it is cross-origin isolated. */
export const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** @type {Readonly<Record<string, string>>} */
const types = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};

/** The file of a path on the site; undefined when there is none. @param {string} path @param {typeof folders} at */
async function fileOf(path, at) {
  const [start = "/"] = Object.keys(at).filter((one) => path.startsWith(one)).sort((a, b) => b.length - a.length); // biome-ignore format: one question
  const inside = normalize(`/${path.slice(start.length)}`); // no way out of the folder
  const file = join(/** @type {string} */ (at[start]), inside.endsWith("/") ? `${inside}index.html` : inside);
  const found = await stat(file).catch(() => undefined);
  return found?.isFile() ? { file, size: found.size } : undefined;
}

/**
 * Answers a request with a file.
 * @param {import("node:http").IncomingMessage} request @param {import("node:http").ServerResponse} response
 * @param {{ at?: typeof folders, headers?: Readonly<Record<string, string>> }} [options]
 */
export async function sendFile(request, response, { at = folders, headers = isolation } = {}) {
  const { pathname } = new URL(request.url ?? "/", "http://localhost");
  const found = await fileOf(decodeURIComponent(pathname), at);
  if (!found) return void response.writeHead(404, headers).end();
  const type = types[extname(found.file)] ?? "application/octet-stream";
  response.writeHead(200, { ...headers, "Content-Type": type, "Content-Length": found.size });
  createReadStream(found.file).pipe(response);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const port = Number(process.env.PORT ?? 8080);
  const server = createServer((request, response) => sendFile(request, response));
  server.listen(port, "localhost", () => console.log(`http://localhost:${port}/`)); // WebGPU and threads need https or localhost
}
