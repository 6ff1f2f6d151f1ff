import { link, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { userError } from "../errors.ts";
import { codeOf } from "./atomic.ts";

/** Who holds a lock. A process id alone may belong to somebody else after a restart, so its start time goes with it. */
interface Holder {
  readonly host: string;
  readonly process: number;
  readonly started: string;
}

/** The longest that a process which is ending is waited for, and how often it is looked at, in milliseconds. */
const patience = { longest: 10_000, look: 50 } as const;

/**
 * What the kernel says of a process, as far as locks ask; no value where the system does not tell or the process is
 * gone.
 */
interface Status {
  readonly state?: string;
  /** In the kernel's ticks since it started. */
  readonly started: string;
  /** It is on its way out: it ends without running any more of its own code. */
  readonly isEnding: boolean;
}

const kernelText = (process: number, file: string): Promise<string> =>
  readFile(`/proc/${process}/${file}`, "utf8").catch(() => "");

/** Reads /proc (Linux, proc(5)): state, flags and start time are the fields 3, 9 and 22 of "stat". */
async function statusOf(process: number): Promise<Status> {
  const text = await kernelText(process, "stat");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, flags, started] = [fields[0] || undefined, Number(fields[6] ?? 0), fields[19] ?? ""];
  const signals = [...(await kernelText(process, "status")).matchAll(/^(?:SigPnd|ShdPnd):\s*([0-9a-f]+)$/gm)];
  const isKilled = signals.some(([, bits]) => (BigInt(`0x${bits}`) & SIGKILL) !== 0n);
  return { state, started, isEnding: isKilled || (flags & PF_EXITING) !== 0 };
}

/** The bit of signal 9 in a set of signals. */
const SIGKILL = 1n << 8n;
/** The flag of a process that has begun to exit (include/linux/sched.h). */
const PF_EXITING = 4;

const isRunning = (id: number): boolean => {
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
};

/** Threads that are left of a process; 0 where the system does not tell. */
const threadsOf = (process: number): Promise<number> =>
  readdir(`/proc/${process}/task`).then(
    ({ length }) => length,
    () => 0,
  );

/**
 * Whether a lock counts. A zombie, which has ended and whose parent did not ask how, holds nothing, once its last
 * thread is gone; a process that is ending is waited for.
 */
async function isAlive(holder: Holder): Promise<boolean> {
  if (holder.host !== hostname()) return true; // cannot be looked up from here
  for (const until = Date.now() + patience.longest; ; await sleep(patience.look)) {
    const { state, started, isEnding } = await statusOf(holder.process);
    if (!isRunning(holder.process) || started !== holder.started) return false;
    const isZombie = state === "Z" || state === "X";
    if (isZombie && (await threadsOf(holder.process)) < 2) return false;
    if (!(isZombie || isEnding) || Date.now() > until) return true;
  }
}

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
  const aside = `${path}.${crypto.randomUUID()}`;
  await rename(path, aside).catch(() => undefined);
  const moved = await textAt(aside);
  if (moved !== undefined && moved !== text) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
}

/** Makes `path` appear with its content in one step; false when it is there already. */
async function claim(path: string, text: string): Promise<boolean> {
  const temporary = `${path}.${crypto.randomUUID()}`;
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

/**
 * Takes the lock file `path` for this process; one left by a process that died does not count, and one that is ending
 * is waited for, at most ten seconds. Returns its release.
 * @throws UserError where another process holds it
 */
export async function lock(path: string): Promise<() => Promise<void>> {
  const own: Holder = { host: hostname(), process: process.pid, started: (await statusOf(process.pid)).started };
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
