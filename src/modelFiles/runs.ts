import type { UseName } from "../nn/use.ts";
import type { Platform } from "../platform/platform.ts";
import { taskOf } from "./read.ts";

/** The folder in runs/ whose finished model of a task is the newest; undefined when there is none. */
export async function newestRun(task: UseName, platform: Platform): Promise<string | undefined> {
  const { files } = platform;
  const folders = (await files.exists("runs")) ? (await files.list("runs")).map(({ name }) => `runs/${name}`) : [];
  let [newest, latest] = [undefined as string | undefined, -Infinity];
  for (const folder of folders) {
    const written = await files.modified(`${folder}/weights.safetensors`);
    if (written === undefined || written <= latest || (await taskOf(folder, platform)) !== task) continue;
    [newest, latest] = [folder, written];
  }
  return newest;
}
