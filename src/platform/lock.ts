import { randomUUID } from "node:crypto";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { userError } from "../errors.ts";
import { codeOf } from "./atomic.ts";

/** Who holds a lock. A process id alone may belong to somebody else after a restart, so its start time goes with it. */
interface Holder {
  readonly host: string;
  readonly process: number;
  readonly started: string;
}

/** The start time of a process in the kernel's ticks; empty where the system does not tell or the process is gone. */
const startOf = (process: number): Promise<string> =>
  readFile(`/proc/${process}/stat`, "utf8").then(
    (text) => text.slice(text.lastIndexOf(")") + 2).split(" ")[19] ?? "",
    () => "",
  );

const isRunning = (id: number): boolean => {
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
};

const isAlive = async (holder: Holder): Promise<boolean> => {
  if (holder.host !== hostname()) return true; // cannot be looked up from here
  return isRunning(holder.process) && (await startOf(holder.process)) === holder.started;
};

/** What a lock's file says; undefined when there is no file or it makes no sense. */
const holderOf = (text: string): Holder | undefined => {
  try {
    return JSON.parse(text) as Holder;
  } catch {
    return undefined;
  }
};

const textAt = (path: string): Promise<string | undefined> => readFile(path, "utf8").catch(() => undefined);

/** Moves a dead process's lock away; puts it back should somebody else have been quicker and hold it now. */
async function clearDead(path: string, text: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  await rename(path, aside).catch(() => undefined);
  const moved = await textAt(aside);
  if (moved !== undefined && moved !== text) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
}

/** Makes `path` appear with its content in one step; false when it is there already. */
async function claim(path: string, text: string): Promise<boolean> {
  const temporary = `${path}.${randomUUID()}`;
  try {
    await writeFile(temporary, text, { flag: "wx" });
    await link(temporary, path);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    if (!["EPERM", "ENOTSUP", "ENOSYS"].includes(codeOf(error))) throw error;
    return await writeFile(path, text, { flag: "wx" }).then(
      () => true,
      () => false,
    );
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Takes the lock file `path` for this process; one left by a process that died does not count. Returns its release. */
export async function lock(path: string): Promise<() => Promise<void>> {
  const own: Holder = { host: hostname(), process: process.pid, started: await startOf(process.pid) };
  for (let attempt = 0; attempt < 3; attempt++) {
    if (await claim(path, `${JSON.stringify(own)}\n`)) return () => rm(path, { force: true });
    const text = await textAt(path);
    if (text === undefined) continue;
    const holder = holderOf(text);
    if (holder && (await isAlive(holder))) throw held(path, holder);
    await clearDead(path, text);
  }
  throw userError(path, "expected a free lock, got one that others keep taking", "Try again.");
}

const held = (path: string, { host, process: id }: Holder): Error =>
  userError(
    path,
    `expected a free lock, got one held by process ${id} on ${host}`,
    "Wait until it ends; if it is gone, remove this file.",
  );
