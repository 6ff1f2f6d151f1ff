import { concat, latin } from "./bytes.ts";

const EXTENSION = 0x21;
const COMMENT = 0xfe;

/** Where the global color table ends (GIF89a, 17 to 19): the first place for an extension. */
const afterTable = (file: Uint8Array): number => {
  const flags = file[10]!;
  return 13 + (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0);
};

/** A GIF file with a comment (GIF89a, 24) before its first picture. @param text of ASCII */
export function addGifComment(file: Uint8Array, text: string): Uint8Array {
  const at = afterTable(file);
  const blocks = [];
  for (let i = 0; i < text.length; i += 255) {
    const block = latin(text.slice(i, i + 255));
    blocks.push([block.length], block);
  }
  return concat(file.subarray(0, at), [EXTENSION, COMMENT], ...blocks, [0], file.subarray(at));
}

/** The comments before a GIF file's first picture, in order; none where the file is another one or cut off. */
export function gifComments(file: Uint8Array): readonly string[] {
  if (String.fromCharCode(...file.subarray(0, 3)) !== "GIF") return [];
  const comments: string[] = [];
  let at = afterTable(file);
  while (file[at] === EXTENSION) {
    const isComment = file[at + 1] === COMMENT;
    const parts: Uint8Array[] = [];
    for (at += 2; (file[at] ?? 0) > 0; at += file[at]! + 1) parts.push(file.subarray(at + 1, at + 1 + file[at]!));
    at++;
    if (isComment) comments.push(new TextDecoder().decode(concat(...parts)));
  }
  return comments;
}
