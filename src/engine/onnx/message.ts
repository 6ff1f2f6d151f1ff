import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

interface Field {
  readonly wire: WireType;
  /** The value as it was written; of a string or message, what is in it. */
  readonly bytes: Uint8Array;
}

/** How many fields may still be read of a file, so that a hostile one cannot fill the memory with empty messages. */
export interface Budget {
  fields: number;
}

/** More fields than any network has. */
export const budget = (): Budget => ({ fields: 4_000_000 });

type Read<T> = (reader: BinaryReader) => T;

/** An int64 as a number; above 2⁵³ it is rounded, which only "to the end" uses. */
export const asInt: Read<number> = (reader) => Number(reader.int64());
export const asBigInt: Read<bigint> = (reader) => BigInt(reader.int64());
export const asFloat: Read<number> = (reader) => reader.float();
export const asDouble: Read<number> = (reader) => reader.double();

/** A protobuf message cut into its fields, without copies. Throws on bytes that are no message. */
export class Message {
  readonly #fields = new Map<number, Field[]>();
  readonly #budget: Budget;

  constructor(bytes: Uint8Array, left: Budget) {
    this.#budget = left;
    const reader = new BinaryReader(bytes);
    while (reader.pos < reader.len) {
      if (left.fields-- <= 0) throw new RangeError("too many fields");
      const [number, wire] = reader.tag();
      const value = wire === WireType.LengthDelimited ? reader.bytes() : reader.skip(wire, number);
      const list = this.#fields.get(number);
      if (list) list.push({ wire, bytes: value });
      else this.#fields.set(number, [{ wire, bytes: value }]);
    }
  }

  has(field: number): boolean {
    return this.#fields.has(field);
  }

  /** A single number; as protobuf has it, the last one counts. */
  number(field: number, read: Read<number>): number {
    const last = this.#fields.get(field)?.at(-1);
    return last ? read(new BinaryReader(last.bytes)) : 0;
  }

  /** All numbers of a list, packed or not. */
  numbers<T>(field: number, read: Read<T>, most = Number.POSITIVE_INFINITY): T[] {
    const list: T[] = [];
    for (const { wire, bytes } of this.#fields.get(field) ?? []) {
      const reader = new BinaryReader(bytes);
      do {
        if (wire === WireType.LengthDelimited && reader.pos >= reader.len) break;
        if (list.length >= most) throw new RangeError(`a list of more than ${most} numbers`);
        list.push(read(reader));
      } while (wire === WireType.LengthDelimited);
    }
    return list;
  }

  /** The content of every occurrence of a field of bytes. */
  contents(field: number): Uint8Array[] {
    return (this.#fields.get(field) ?? []).map(({ wire, bytes }) => {
      if (wire !== WireType.LengthDelimited) throw new RangeError(`field ${field} is no text or message`);
      return bytes;
    });
  }

  content(field: number): Uint8Array | undefined {
    return this.contents(field).at(-1);
  }

  texts(field: number): string[] {
    const decoder = new TextDecoder();
    return this.contents(field).map((bytes) => decoder.decode(bytes));
  }

  text(field: number): string {
    return this.texts(field).at(-1) ?? "";
  }

  messages(field: number): Message[] {
    return this.contents(field).map((bytes) => new Message(bytes, this.#budget));
  }

  message(field: number): Message | undefined {
    const last = this.content(field);
    return last && new Message(last, this.#budget);
  }
}
