import { readFile } from "node:fs/promises";
import sharp from "sharp";
import { userError } from "../errors.ts";
import { withSoftware } from "../image/exif.ts";
import { addGifComment, gifComments } from "../image/gifComment.ts";
import type { PictureMetadata } from "../image/picture.ts";
import { addPngText } from "../image/pngChunk.ts";
import { type Provenance, parseProvenance, provenanceJson, softwareOf } from "../image/provenance.ts";
import { recordIn, withoutRecord, withRecord } from "../image/xmp.ts";
import { codeOf, textOf } from "./atomic.ts";
import type { PictureFormat } from "./platform.ts";

/** The keyword of the record among a PNG's texts, and the word before it in a GIF's comment. */
const KEYWORD = "imago";

/** A file's XMP without the record of what made it, which is not true of what will be made of it. */
export const foreignXmp = (packet: Uint8Array | undefined): Pick<PictureMetadata, "xmp"> => {
  const kept = packet && withoutRecord(utf8(packet));
  return kept === undefined ? {} : { xmp: new TextEncoder().encode(kept) };
};

const utf8 = (bytes: Uint8Array): string => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);

/**
 * Metadata that say what made the picture: the record in XMP, but for PNG, and the program's name in EXIF where none
 * stands.
 */
export function withProvenance(metadata: PictureMetadata, made: Provenance, format: PictureFormat): PictureMetadata {
  const { exif, xmp } = metadata;
  const [text, software] = [provenanceJson(made), softwareOf(made)];
  return {
    ...metadata,
    ...(exif && { exif: withSoftware(exif, software) }),
    ...(format !== "png" && { xmp: new TextEncoder().encode(withRecord(xmp && utf8(xmp), text, software)) }),
  };
}

/** A PNG file with the record as a text. */
export const pngWith = (file: Uint8Array, made: Provenance): Uint8Array =>
  addPngText(file, KEYWORD, provenanceJson(made));

/** A GIF file with the record as a comment. */
export const gifWith = (file: Uint8Array, made: Provenance): Uint8Array =>
  addGifComment(file, `${KEYWORD} ${provenanceJson(made)}`);

/** The name of the file that holds the record of one that cannot hold it itself. */
export const besideName = (path: string): string => `${path}.imago.json`;

/**
 * Reads what made a file: from its PNG text, XMP or GIF comment, from a JSON report's field "provenance", or from the
 * file
 * `NAME.imago.json` beside it. Undefined where none of them tells.
 * @throws UserError for a file that is not there, and for a record that is damaged or of a later version
 */
export async function readProvenance(source: string | Uint8Array): Promise<Provenance | undefined> {
  if (typeof source !== "string") return inBytes(source, "file");
  const bytes = await readFile(source).catch((error: unknown) => {
    const got = { ENOENT: "nothing with that name", EISDIR: "a folder" }[codeOf(error)] ?? textOf(error);
    throw userError(source, `expected a file, got ${got}`, "Check the name.");
  });
  const own = await inBytes(bytes, source);
  if (own) return own;
  const beside = await readFile(besideName(source), "utf8").catch(() => undefined);
  return beside === undefined ? undefined : parseProvenance(beside, besideName(source));
}

async function inBytes(bytes: Uint8Array, where: string): Promise<Provenance | undefined> {
  const text = inJson(bytes) ?? inGif(bytes) ?? (await inPicture(bytes));
  return text === undefined ? undefined : parseProvenance(text, where);
}

const inGif = (bytes: Uint8Array): string | undefined =>
  gifComments(bytes)
    .find((comment) => comment.startsWith(`${KEYWORD} {`))
    ?.slice(KEYWORD.length + 1);

/** From the header of a file that sharp knows. */
async function inPicture(bytes: Uint8Array): Promise<string | undefined> {
  if (bytes.length === 0) return undefined;
  const header = await sharp(bytes, { limitInputPixels: false })
    .metadata()
    .catch(() => undefined);
  const text = header?.comments?.find(({ keyword }) => keyword === KEYWORD)?.text;
  return text ?? (header?.xmp && recordIn(utf8(header.xmp)));
}

/** A record's own file, or a report with one. */
function inJson(bytes: Uint8Array): string | undefined {
  if (bytes[0] !== 0x7b) return undefined;
  try {
    const value = JSON.parse(utf8(bytes)) as { readonly provenance?: unknown; readonly software?: unknown };
    const found = value.software === "imago" ? value : value.provenance;
    return found === undefined ? undefined : JSON.stringify(found);
  } catch {
    return undefined;
  }
}
