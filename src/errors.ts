/**
 * The two kinds of failure. A UserError is the caller's to mend and reads "where: what was expected, what arrived. The
 * cure."; the command line prints it without a stack and exits with 2. Anything else is a fault of ours.
 */
export class UserError extends Error {
  override readonly name = "UserError";
  /** The text with options as `option` marks them. */
  readonly #marked: string;

  constructor(marked: string) {
    super(withOptions(marked));
    this.#marked = marked;
  }

  /** The text for a front end that calls options by other names: --resume, or the label of a field. */
  textFor(nameOf: (option: string) => string): string {
    return withOptions(this.#marked, nameOf);
  }
}

/** Names an option in a text for people, so that each front end can print the name that it goes by there. */
export const option = (name: string): string => `\0${name}\0`;

/** A text with the options in it named as a front end names them; unless told otherwise in quotes, but bare where it begins. */
export const withOptions = (text: string, nameOf?: (option: string) => string): string =>
  text.replace(/\0(\w+)\0/g, (_, name: string, at: number) => nameOf?.(name) ?? (at === 0 ? name : `"${name}"`)); // no text that people write holds \0

/** Makes a UserError of the house's form. `where` names the option (`option(name)`), file or layer; `what` states expected and got. */
export const userError = (where: string, what: string, cure?: string): UserError =>
  new UserError(`${where}: ${what}${what.endsWith(".") ? "" : "."}${cure ? ` ${cure}` : ""}`);

/** Throws when an invariant of our own is broken; the text asks for a report. */
export const internal = (what: string): Error => new Error(`internal: ${what}. Please report this.`);
