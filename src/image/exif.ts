// EXIF is a small TIFF file: directories of 12-byte entries (tag, type, count, value or its offset).

/** The entry's place in the block and what it says. */
interface Entry {
  readonly at: number;
  readonly tag: number;
  readonly type: number;
  readonly count: number;
}

interface Block {
  readonly view: DataView;
  readonly isLittle: boolean;
}

const open = (exif: Uint8Array): Block | undefined => {
  if (exif.length < 14) return undefined;
  const view = new DataView(exif.buffer, exif.byteOffset, exif.byteLength);
  const order = view.getUint16(0);
  return order === 0x4949 || order === 0x4d4d ? { view, isLittle: order === 0x4949 } : undefined;
};

const entries = ({ view, isLittle }: Block, at: number): readonly Entry[] => {
  if (at + 2 > view.byteLength) return [];
  const count = Math.min(view.getUint16(at, isLittle), Math.floor((view.byteLength - at - 2) / 12));
  return Array.from({ length: count }, (_, i) => {
    const place = at + 2 + 12 * i;
    const [tag, type] = [view.getUint16(place, isLittle), view.getUint16(place + 2, isLittle)];
    return { at: place, tag, type, count: view.getUint32(place + 4, isLittle) };
  });
};

/** The entries of the first directory and of the camera's directory it points to. */
const allEntries = (block: Block): { readonly main: readonly Entry[]; readonly camera: readonly Entry[] } => {
  const main = entries(block, block.view.getUint32(4, block.isLittle));
  const link = main.find(({ tag }) => tag === 0x8769);
  return { main, camera: link ? entries(block, block.view.getUint32(link.at + 8, block.isLittle)) : [] };
};

const writeNumber = ({ view, isLittle }: Block, { at, type }: Entry, value: number): void => {
  if (type === 3) view.setUint16(at + 8, value, isLittle);
  else if (type === 4) view.setUint32(at + 8, value, isLittle);
};

/** The TIFF block without the "Exif\0\0" that JPEG puts before it. */
export const bareExif = (exif: Uint8Array): Uint8Array =>
  exif[0] === 0x45 && exif[1] === 0x78 && exif[4] === 0 ? exif.slice(6) : exif.slice();

/**
 * A copy that fits changed pixels: orientation 1, the new size where the block names one, and no thumbnail of the old
 * picture. Blocks that cannot be understood come back as they are.
 */
export const freshExif = (
  exif: Uint8Array,
  { width, height }: { readonly width: number; readonly height: number },
): Uint8Array => {
  const copy = bareExif(exif);
  const block = open(copy);
  if (!block) return copy;
  const { main, camera } = allEntries(block);
  const values = new Map([
    [0x0112, 1],
    [0x0100, width],
    [0x0101, height],
    [0xa002, width],
    [0xa003, height],
  ]);
  for (const entry of [...main, ...camera]) {
    const value = values.get(entry.tag);
    if (value !== undefined) writeNumber(block, entry, value);
  }
  const next = block.view.getUint32(4, block.isLittle) + 2 + 12 * main.length;
  if (next + 4 <= copy.length) block.view.setUint32(next, 0, block.isLittle);
  return copy;
};

/** The EXIF orientation, 1…8; 1 where there is none. */
export const orientationOf = (exif: Uint8Array): number => {
  const block = open(bareExif(exif));
  const entry = block && allEntries(block).main.find(({ tag }) => tag === 0x0112);
  return entry ? block.view.getUint16(entry.at + 8, block.isLittle) : 1;
};

const SOFTWARE = 0x0131;

/**
 * The block with the name of a program in it; as it was where one stands there already, or where it cannot be
 * understood. The first directory moves to the end with one entry more; offsets count from the start, so that all
 * others stay valid.
 */
export function withSoftware(exif: Uint8Array, software: string): Uint8Array {
  const block = open(exif);
  if (!block) return exif;
  const { view, isLittle } = block;
  const from = view.getUint32(4, isLittle);
  const main = entries(block, from);
  if (main.length === 0 || main.some(({ tag }) => tag === SOFTWARE)) return exif;
  const text = new TextEncoder().encode(`${software}\0`);
  const start = exif.length + (exif.length % 2); // directories begin at even places
  const size = 2 + 12 * (main.length + 1) + 4;
  const out = new Uint8Array(start + size + text.length);
  out.set(exif);
  out.set(text, start + size);
  const [place, after] = [main.filter(({ tag }) => tag < SOFTWARE).length, from + 2 + 12 * main.length];
  out.set(exif.subarray(from + 2, from + 2 + 12 * place), start + 2);
  out.set(exif.subarray(from + 2 + 12 * place, after + 4), start + 2 + 12 * (place + 1));
  const target = new DataView(out.buffer);
  const at = start + 2 + 12 * place;
  target.setUint32(4, start, isLittle);
  target.setUint16(start, main.length + 1, isLittle);
  target.setUint16(at, SOFTWARE, isLittle);
  target.setUint16(at + 2, 2, isLittle);
  target.setUint32(at + 4, text.length, isLittle);
  target.setUint32(at + 8, start + size, isLittle);
  return out;
}

const names: Readonly<Record<number, string>> = {
  270: "ImageDescription",
  271: "Make",
  272: "Model",
  305: "Software",
  306: "DateTime",
  315: "Artist",
  33432: "Copyright",
  36867: "DateTimeOriginal",
  36868: "DateTimeDigitized",
  42035: "LensMake",
  42036: "LensModel",
};

/** The well-known text entries by name, for formats whose writer takes only those. */
export const exifTexts = (exif: Uint8Array): Readonly<Record<"IFD0" | "IFD2", Readonly<Record<string, string>>>> => {
  const copy = bareExif(exif);
  const block = open(copy);
  if (!block) return { IFD0: {}, IFD2: {} };
  const { main, camera } = allEntries(block);
  const texts = (list: readonly Entry[]) =>
    Object.fromEntries(
      list
        .filter(({ tag, type }) => type === 2 && names[tag])
        .map((entry) => [names[entry.tag]!, textOf(copy, block, entry)]),
    );
  return { IFD0: texts(main), IFD2: texts(camera) };
};

const textOf = (exif: Uint8Array, { view, isLittle }: Block, { at, count }: Entry): string => {
  const start = count > 4 ? view.getUint32(at + 8, isLittle) : at + 8;
  return new TextDecoder().decode(exif.subarray(start, start + count)).replace(/\0.*$/s, "");
};
