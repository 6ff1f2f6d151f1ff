/** One entry of a folder. */
export interface FolderEntry {
  readonly name: string;
  readonly isFolder: boolean;
}

/** A piece of a file, and the byte at which it begins there. */
export interface FilePart {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** All of a file: a text, its bytes, or pieces in any order that leave no holes, made while they are written. */
export type FileContent = string | Uint8Array | AsyncIterable<FilePart>;

/**
 * The files that training reads and writes, passed in by the platform. Paths are joined with "/". Failures are
 * UserErrors that name the path and the cure.
 */
export interface Files {
  read(path: string): Promise<Uint8Array<ArrayBuffer>>;
  /** The bytes of a file from `begin` to before `end`; fewer where it ends before. */
  readRange(path: string, begin: number, end: number): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * Makes or replaces a file: readers, and whoever comes after a crash, find the old content or the new, never a part.
   * What the making of a piece throws is thrown on, and the old content stays.
   */
  write(path: string, content: FileContent): Promise<void>;
  /** Adds to the end of a file, made when missing; what was added lies on the disk when this returns. */
  append(path: string, content: string | Uint8Array): Promise<void>;
  /** Bytes of a file; undefined when there is none. */
  size(path: string): Promise<number | undefined>;
  /** When a file was last written, in milliseconds of the clock; undefined when there is none. */
  modified(path: string): Promise<number | undefined>;
  /** Whether there is a file or folder. */
  exists(path: string): Promise<boolean>;
  /** Everything in a folder, links followed, in the order of the disk. */
  list(folder: string): Promise<readonly FolderEntry[]>;
  /** Makes a folder and those above it. */
  makeFolder(folder: string): Promise<void>;
  /** Renames a file or folder, replacing a file. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file or a folder with all it holds; fine when missing. */
  remove(path: string): Promise<void>;
  /** SHA-256 of a file's content, hexadecimal. */
  sha256(path: string): Promise<string>;
  /** Takes a lock that a dead process leaves behind ineffective; returns what gives it back. */
  lock(path: string): Promise<() => Promise<void>>;
}

/** The text of a file. */
export const readText = async (files: Pick<Files, "read">, path: string): Promise<string> =>
  new TextDecoder().decode(await files.read(path));
