import { userError } from "../errors.ts";
import type { Files } from "../platform/files.ts";
import type { UnzipTick } from "../platform/unzip.ts";
import { catalog, type DataSet, type Download } from "./catalog.ts";

export interface PullOptions {
  readonly files: Files;
  /** Unpacks a zip file into a folder and counts its entries. */
  unzip(path: string, folder: string, signal?: AbortSignal): AsyncIterable<UnzipTick>;
  readonly fetch?: typeof globalThis.fetch;
  readonly signal?: AbortSignal;
  /** How often a connection may be cut off without a byte of progress. */
  readonly retries?: number;
  /** Pause before trying again, in milliseconds; doubled each time. */
  readonly pauseMs?: number;
  /** Silence that counts as a cut-off, in milliseconds. */
  readonly stallMs?: number;
}

export interface PullTick {
  readonly kind: "fetch" | "check" | "unpack" | "done";
  readonly file: string;
  /** Bytes when fetching, entries when unpacking. */
  readonly done: number;
  readonly total: number;
}

/**
 * The data set of a name; a UserError that lists all for any other.
 * @throws UserError for a name that the catalog lacks
 */
export function findDataSet(name: string): DataSet {
  const found = catalog.find((dataSet) => dataSet.name === name);
  if (!found) throw userError("data", `expected one of ${catalog.map((one) => one.name).join(", ")}, got "${name}"`);
  return found;
}

/**
 * Fetches a data set into folder/<name>. Downloads go on where an earlier one was cut off, are checked by size and
 * SHA-256, and get their name only then; archives are unpacked and removed. What is there already is not fetched again.
 */
export async function* pull(dataSet: DataSet, folder: string, options: PullOptions): AsyncGenerator<PullTick, void> {
  const { files } = options;
  const place = `${folder}/${dataSet.name}`;
  await files.makeFolder(folder);
  const unlock = await files.lock(`${folder}/.${dataSet.name}.lock`);
  try {
    for (const download of dataSet.downloads) {
      if (download.name.endsWith(".zip")) yield* pullArchive(download, place, options);
      else yield* pullFile(download, `${place}/${download.name}`, options);
    }
    yield { kind: "done", file: place, done: 1, total: 1 };
  } finally {
    await unlock();
  }
}

async function* pullArchive(download: Download, place: string, options: PullOptions): AsyncGenerator<PullTick> {
  const { files, unzip, signal } = options;
  if (await files.exists(place)) return;
  const [archive, unpacked] = [`${place}.zip`, `${place}.unpacking`];
  yield* pullFile(download, archive, options);
  await files.remove(unpacked);
  for await (const { name, done, total } of unzip(archive, unpacked, signal))
    yield { kind: "unpack", file: name, done, total };
  await files.rename(unpacked, place);
  await files.remove(archive);
}

async function* pullFile(download: Download, path: string, options: PullOptions): AsyncGenerator<PullTick> {
  const { files } = options;
  if ((await files.size(path)) === download.bytes) return;
  const part = `${path}.part`;
  await files.makeFolder(path.slice(0, path.lastIndexOf("/")));
  yield* fetchWhole(download, part, options);
  yield { kind: "check", file: download.name, done: download.bytes, total: download.bytes };
  const sum = await files.sha256(part);
  if (sum !== download.sha256) {
    await files.remove(part);
    throw userError(
      download.url,
      `expected SHA-256 ${download.sha256}, got ${sum}; the download was removed`,
      "Try again; if it stays so, the file on the server has changed.",
    );
  }
  await files.rename(part, path);
}

/** Fetches until all bytes are there, going on after cut-offs as long as each attempt brings something. */
async function* fetchWhole(download: Download, part: string, options: PullOptions): AsyncGenerator<PullTick> {
  const { files, signal, retries = 5, pauseMs = 1000 } = options;
  const { bytes: total, name: file } = download;
  let failures = 0;
  for (;;) {
    const start = (await files.size(part)) ?? 0;
    if (start > total) await files.remove(part);
    if (start === total) return;
    const cutOff = yield* fetchRest(download, part, options);
    signal?.throwIfAborted();
    const done = (await files.size(part)) ?? 0;
    yield { kind: "fetch", file, done, total };
    if (cutOff === undefined && done === total) return;
    failures = done > start ? 0 : failures + 1;
    if (failures > retries)
      throw userError(
        download.url,
        `expected ${total} bytes, got ${done} (${cutOff ?? "the server ended early"})`,
        "Check the connection and run it again; it goes on from here.",
      );
    if (failures > 0) await pause(pauseMs * 2 ** (failures - 1), signal);
  }
}

/** Bytes gathered before they are written. */
const chunkBytes = 4 * 2 ** 20;

/** One attempt from the end of the part file on. Returns why it broke off; undefined when the server was done. */
async function* fetchRest(
  { url, name: file, bytes: total }: Download,
  part: string,
  { files, fetch = globalThis.fetch, signal, stallMs = 60_000 }: PullOptions,
): AsyncGenerator<PullTick, string | undefined> {
  const watch = watchdog(stallMs, signal);
  let gathered: Uint8Array[] = [];
  let done = (await files.size(part)) ?? 0;
  const flush = async (): Promise<void> => {
    const chunk = join(gathered);
    gathered = [];
    if (chunk.length > 0) await files.append(part, chunk);
  };
  try {
    const headers = { "accept-encoding": "identity", ...(done > 0 && { range: `bytes=${done}-` }) };
    const answer = await fetch(url, { headers, signal: watch.signal }).catch(textOf);
    if (typeof answer === "string") return answer;
    if (!goesOn(answer, done)) {
      if (!answer.ok && answer.status !== 416) return refusal(url, answer.status);
      await files.remove(part);
      done = 0;
      if (answer.status !== 200) return "the server could not go on; starting again";
    }
    for await (const chunk of bodyOf(answer)) {
      if (typeof chunk === "string") return chunk;
      watch.feed();
      gathered.push(chunk);
      done += chunk.length;
      if (done > total)
        throw userError(url, `expected ${total} bytes, got more`, "The file on the server has changed.");
      if (gathered.reduce((sum, { length }) => sum + length, 0) < chunkBytes) continue;
      await flush();
      yield { kind: "fetch", file, done, total };
    }
    return undefined;
  } finally {
    watch.stop();
    await flush();
  }
}

/** Whether the answer's bytes belong at position `done`. */
const goesOn = ({ status, headers }: Response, done: number): boolean =>
  done === 0 ? status === 200 : status === 206 && (headers.get("content-range") ?? "").startsWith(`bytes ${done}-`);

/** Refusals that another attempt may change are reasons, others errors. */
function refusal(url: string, status: number): string {
  if (status >= 500 || status === 408 || status === 429) return `the server answered ${status}`;
  throw userError(url, `expected the file, got the answer ${status}`, "The server may have moved it.");
}

/** The parts of an answer; a text when the connection breaks. */
async function* bodyOf(answer: Response): AsyncGenerator<Uint8Array | string, void> {
  const reader = answer.body!.getReader();
  try {
    for (;;) {
      const next = await reader.read().catch(textOf);
      if (typeof next === "string") return yield next;
      if (next.done) return;
      yield next.value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

const textOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
};

/** A signal that also aborts after a silence. */
function watchdog(ms: number, signal: AbortSignal | undefined) {
  const stall = new AbortController();
  const bite = (): void => stall.abort(new Error(`nothing came for ${ms / 1000} seconds`));
  let timer = setTimeout(bite, ms);
  return {
    signal: signal ? AbortSignal.any([signal, stall.signal]) : stall.signal,
    feed(): void {
      clearTimeout(timer);
      timer = setTimeout(bite, ms);
    },
    stop: (): void => clearTimeout(timer),
  };
}

/** Waits; ends at once when the signal aborts. */
const pause = (ms: number, signal: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener("abort", end, { once: true });
  });

function join(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  parts.reduce((offset, part) => {
    all.set(part, offset);
    return offset + part.length;
  }, 0);
  return all;
}
