/**
 * The two kinds of failure. A UserError is the caller's to mend and reads "where: what was expected, what arrived. The
 * cure."; the command line prints it without a stack and exits with 2. Anything else is a fault of ours.
 */
export class UserError extends Error {
  override readonly name = "UserError";
}

/** Makes a UserError of the house's form. `where` names the flag, file or layer; `what` states expected and got. */
export const userError = (where: string, what: string, cure?: string): UserError =>
  new UserError(`${where}: ${what}${what.endsWith(".") ? "" : "."}${cure ? ` ${cure}` : ""}`);

/** Throws when an invariant of our own is broken; the text asks for a report. */
export const internal = (what: string): Error => new Error(`internal: ${what}. Please report this.`);
