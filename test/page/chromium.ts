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

/** Opens an address; the function that it returns ends the browser and removes its profile. */
export function openChromium(url: string): () => Promise<void> {
  const profile = mkdtempSync(join(tmpdir(), "imago-chromium-"));
  const browser: ChildProcess = spawn(chromium!, [...FLAGS, `--user-data-dir=${profile}`, url], { stdio: "ignore", detached: true }); // biome-ignore format: one line
  const ended = new Promise<void>((resolve) => browser.on("exit", () => resolve()));
  return async () => {
    if (browser.exitCode === null) process.kill(-browser.pid!, "SIGKILL"); // the group: its processes are many
    await ended;
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  };
}
