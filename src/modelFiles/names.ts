import { option, userError } from "../errors.ts";
import type { Platform } from "../platform/platform.ts";

export interface LoadOptions {
  /** Picks one of a family ("srcnn" at 3 is srcnn-x3), and says what foreign weights enlarge by. */
  readonly scale?: number;
}

const baseName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
/** A file's name without folder and ending. */
export const stem = (path: string): string => baseName(path).replace(/\.[^.]+$/, "");

/** What a model's file is called in reports, without folders: its name, or that of the run whose weights it holds. */
export const shortName = (path: string): string =>
  /([^/\\]+)[/\\]weights\.safetensors$/.exec(path)?.[1] ?? path.replace(/^.*[/\\]/, "");

const isPath = (name: string): boolean => /[/\\]|\.(safetensors|onnx)$/i.test(name);

/** The shipped models' names, sorted. */
export async function listModels({ files, models: folder }: Platform): Promise<readonly string[]> {
  const entries = (await files.exists(folder)) ? await files.list(folder) : [];
  return entries.flatMap(({ name }) => (name.endsWith(".safetensors") ? [stem(name)] : [])).sort();
}

/**
 * The file of a model that goes by a shipped name, a path or a run's folder.
 * @throws UserError for a name that leads nowhere
 */
export async function findModel(name: string, platform: Platform, { scale }: LoadOptions): Promise<string> {
  const { files, models: folder } = platform;
  const all = await listModels(platform);
  const shipped = isPath(name) ? [] : all;
  const found = [name, `${name}-x${scale ?? 2}`].find((one) => shipped.includes(one));
  if (found) return `${folder}/${found}.safetensors`;
  const family = shipped.filter((one) => one.startsWith(`${name}-x`));
  if (family.length > 0)
    throw userError(
      option("model"),
      `expected a scale that ${name} is there for (${family.join(", ")}), got ${scale ?? 2}`,
    );
  if ((await files.size(name)) !== undefined) {
    if (/\.(safetensors|onnx)$/i.test(name)) return name;
    throw userError(name, "expected a model file ending in .safetensors or .onnx, got another name");
  }
  if (await files.exists(name)) return inRun(name, platform);
  const cure = all.length > 0 ? `Shipped are ${all.join(", ")}.` : "No models are shipped with this copy.";
  const got = isPath(name) ? `"${name}", where nothing is` : `"${name}"`;
  throw userError(option("model"), `expected a shipped model, a model file or a run's folder, got ${got}`, cure);
}

async function inRun(folder: string, { files }: Platform): Promise<string> {
  const path = `${folder.replace(/\/+$/, "")}/weights.safetensors`;
  if (await files.exists(path)) return path;
  throw userError(folder, "expected a run's folder with weights.safetensors, got one without", "Has the run ended?");
}
