import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { folders, isolation, sendFile } from "../../examples/browser/server.mjs";

const page = fileURLToPath(new URL("page", import.meta.url));
const at = { ...folders, "/": page, "/plain/": page };

/** A site on which a page does one job after the other. */
export interface Site {
  readonly url: string;
  /** What a job came to, as soon as the page has posted it. */
  result(job: string): Promise<Readonly<Record<string, never>>>;
  close(): Promise<void>;
}

/** A text that is still to come. */
function waiting() {
  let settle: (value: string) => void = () => {};
  const promise = new Promise<string>((resolve) => {
    settle = resolve;
  });
  return { promise, settle };
}

/** Serves pages with the headers of isolation, but for jobs named "plain". @param files bytes by path */
export async function openSite(jobs: readonly string[], files: Readonly<Record<string, Uint8Array>>): Promise<Site> {
  const results = new Map(jobs.map((job) => [job, waiting()]));
  const addressOf = (job: string | undefined): string => (job ? `/${job === "plain" ? "plain/" : ""}?job=${job}` : "");
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname } = new URL(request.url!, "http://localhost");
    const isPlain = pathname.startsWith("/plain/") || /\/plain\/\?/.test(request.headers.referer ?? "");
    const headers = isPlain ? {} : isolation;
    const file = files[decodeURIComponent(pathname)];
    const type = pathname.endsWith(".png") ? "image/png" : "application/octet-stream";
    if (file) return void response.writeHead(200, { ...headers, "Content-Type": type }).end(file);
    if (!pathname.startsWith("/result/")) return sendFile(request, response, { at, headers });
    const job = pathname.slice("/result/".length);
    results.get(job)?.settle(await text(request));
    response.writeHead(200, headers).end(addressOf(jobs[jobs.indexOf(job) + 1]));
  };
  const server: Server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://localhost:${port}${addressOf(jobs[0])}`,
    result: async (job) => JSON.parse(await results.get(job)!.promise),
    close: () => new Promise((resolve) => { server.close(() => resolve()); server.closeAllConnections(); }), // biome-ignore format: one line
  };
}
