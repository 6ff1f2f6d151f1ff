import type { Runtime, RuntimeName } from "../engine/index.ts";
import type { Picture, Size } from "../image/picture.ts";
import type { Provenance } from "../image/provenance.ts";
import type { Files } from "./files.ts";

/** How a picture is written; see the platform's codec for what each format keeps. */
export interface PictureWriting {
  /** By the file's name unless given. */
  readonly format?: PictureFormat;
  /** 1…100 for JPEG, WebP and AVIF. */
  readonly quality?: number;
  /** Replace a file that is already there. */
  readonly force?: boolean;
  /** What made the picture, to be carried by the file; nothing unless given. */
  readonly provenance?: Provenance;
}

/** How an animation is written. */
export interface AnimationWriting {
  /** How long a picture is shown: one number, or one a picture; 1…65535. */
  readonly milliseconds: number | readonly number[];
  /** Replace a file that is already there. */
  readonly force?: boolean;
  /** What made the pictures, to be carried by the file; nothing unless given. */
  readonly provenance?: Provenance;
}

export const pictureFormats = ["png", "jpeg", "webp", "tiff", "avif"] as const;
export type PictureFormat = (typeof pictureFormats)[number];

/** The format that the ending of a name (in small letters) asks for. */
export const formatsByEnding: Readonly<Record<string, PictureFormat>> = {
  ".jpg": "jpeg",
  ".jpeg": "jpeg",
  ".png": "png",
  ".webp": "webp",
  ".tif": "tiff",
  ".tiff": "tiff",
  ".avif": "avif",
};

/** Who reads and writes picture files. */
export interface Codec {
  read(source: string | Uint8Array): Promise<Picture>;
  /** The header only. */
  probe(path: string): Promise<Size & { readonly format: string; readonly channels: number; readonly depth: number }>;
  write(path: string, picture: Picture, options?: PictureWriting): Promise<void>;
  /** Pictures of one size one after the other, forever: .webp or .gif. */
  animate(path: string, pictures: readonly Picture[], options: AnimationWriting): Promise<void>;
  /** What made a file, as it says itself or as a file beside it does; undefined where neither does. */
  provenance(source: string | Uint8Array): Promise<Provenance | undefined>;
}

export const runtimeNames = ["cpu", "wasm", "webgpu", "reference"] as const satisfies readonly RuntimeName[];

export interface RuntimeChoice {
  /** "cpu" where it is installed, else "wasm", unless given. */
  readonly name?: RuntimeName;
  /** All cores unless given. */
  readonly threads?: number;
}

/** What tasks ask of the machine they run on. It is passed in, never detected. */
export interface Platform {
  /** Starts a runtime; whoever asked disposes it. */
  runtime(choice?: RuntimeChoice): Promise<Runtime>;
  /** Cores of this machine: what a runtime uses unless told otherwise. */
  readonly threads: number;
  /** Peak of this process's memory so far, in MB (2²⁰ bytes). */
  peakMB(): number;
  readonly codec: Codec;
  readonly files: Files;
  /** Folder of the models that come with the package. */
  readonly models: string;
  /** Throws a UserError unless a file can be made at `path`: its folder is there, the name free or `force` given. */
  checkTarget(path: string, force: boolean): Promise<void>;
  /** Names of this machine's user, which outputs do not tell. */
  readonly privateNames: readonly string[];
  /** Versions that a run's card names: imago, node, the runtime's library. */
  readonly versions: Readonly<Record<string, string>>;
}
