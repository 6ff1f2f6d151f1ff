// @ts-check
// A small HTTP service: POST a picture, get it back enlarged as PNG. The work is done in a worker thread, so that the
// server answers others meanwhile. node examples/service.mjs starts it, posts a picture, and ends;
// node examples/service.mjs 8080 stays: curl --data-binary @photo.jpg localhost:8080 -o large.png
import { on, once } from "node:events";
import { createServer } from "node:http";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { decodePicture, encodePicture, openUpscaler, syntheticPhotograph } from "imago";

const LARGEST = 20 * 2 ** 20; // bytes of a posted file
const PIXELS = 16 * 2 ** 20; // of a posted picture

/** The worker: opens the upscaler once, then answers file after file with a file. */
async function work() {
  if (!parentPort) return;
  const upscaler = await openUpscaler({ scale: 2 });
  for await (const [{ id, bytes }] of on(parentPort, "message")) {
    try {
      const picture = await decodePicture(bytes, "the posted picture", { maxPixels: PIXELS });
      const file = await encodePicture(await upscaler.run(picture), { format: "png" });
      parentPort.postMessage({ id, file });
    } catch (error) {
      // A UserError is the sender's to mend; its text says how.
      const isTheirs = error instanceof Error && error.name === "UserError";
      parentPort.postMessage({ id, status: isTheirs ? 400 : 500, text: isTheirs ? error.message : "internal error" });
    }
  }
}

/** Reads a body that is not too large. @param {import("node:http").IncomingMessage} request */
async function bodyOf(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > LARGEST) return undefined;
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

function serve() {
  const worker = new Worker(new URL(import.meta.url));
  /** @type {Map<number, import("node:http").ServerResponse>} */
  const waiting = new Map();
  let count = 0;
  worker.on("message", ({ id, file, status, text }) => {
    const response = waiting.get(id);
    waiting.delete(id);
    if (file) response?.writeHead(200, { "content-type": "image/png" }).end(file);
    else response?.writeHead(status, { "content-type": "text/plain" }).end(`${text}\n`);
  });
  const server = createServer(async (request, response) => {
    if (request.method === "GET") return response.end(`${waiting.size} at work or waiting\n`);
    const bytes = await bodyOf(request).catch(() => undefined);
    if (!bytes) return response.writeHead(413, { connection: "close" }).end("expected a picture of at most 20 MiB\n");
    waiting.set(count, response);
    worker.postMessage({ id: count++, bytes });
  });
  server.on("close", () => worker.terminate());
  return server;
}

/** Posts a picture, and asks how things are going until the answer comes. @param {string} url */
async function tryOut(url) {
  const photo = await encodePicture(syntheticPhotograph({ width: 480, height: 320, seed: 5 }), { format: "jpeg" });
  let isDone = false;
  const posted = fetch(url, { method: "POST", body: new Uint8Array(photo) }).finally(() => {
    isDone = true;
  });
  let longest = 0;
  while (!isDone) {
    const start = performance.now();
    await (await fetch(url)).text();
    longest = Math.max(longest, performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const answer = await posted;
  const large = await decodePicture(new Uint8Array(await answer.arrayBuffer()));
  console.log(`${answer.status} ${answer.headers.get("content-type")} ${large.width}×${large.height}`);
  console.log(`others waited ${longest.toFixed(0)} ms at most`);

  const refused = await fetch(url, { method: "POST", body: "not a picture" });
  console.log(`${refused.status} ${(await refused.text()).trim()}`);
  if (answer.status !== 200 || large.width !== 960 || refused.status !== 400) throw new Error("not as expected");
}

if (!isMainThread) await work();
else {
  const [port] = process.argv.slice(2);
  const server = serve().listen(Number(port ?? 0), "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}/`;
  console.log(`listening at ${url}`);
  if (!port) {
    await tryOut(url);
    server.close();
  }
}
