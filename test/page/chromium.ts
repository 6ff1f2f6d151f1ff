import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/** The browser: $CHROMIUM, else the first of the common names on the path. */
export const chromium: string | undefined =
  process.env.CHROMIUM ??
  (process.env.PATH ?? "")
    .split(delimiter)
    .flatMap((folder) => NAMES.map((name) => join(folder, name)))
    .find(isProgram);

/** Without a window, without a network of its own, with a WebGPU adapter in software. */
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-quic",
  "--enable-unsafe-webgpu",
  "--enable-features=Vulkan",
  "--use-webgpu-adapter=swiftshader",
];

export interface Browser {
  /** Rejects when the browser ends before it is closed. */
  readonly ended: Promise<never>;
  /** Ends it and removes its profile. */
  close(): Promise<void>;
}

/** Opens an address. */
export function openChromium(url: string): Browser {
  const profile = mkdtempSync(join(tmpdir(), "imago-chromium-"));
  const child: ChildProcess = spawn(chromium!, [...FLAGS, `--user-data-dir=${profile}`, url], {
    stdio: "ignore",
    detached: true,
  });
  const exit = new Promise<string>((resolve) => {
    child.on("error", ({ message }) => resolve(message));
    child.on("exit", (code, signal) => resolve(`exit ${code ?? signal}`));
  });
  const ended = exit.then((how): never => {
    throw new Error(`${chromium}: expected a browser that goes on running, got ${how}`);
  });
  ended.catch(() => undefined); // whoever waits for a result hears of it
  return {
    ended,
    async close() {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGKILL"); // the group: its processes are many
      await exit;
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
