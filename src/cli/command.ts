import { Command as Commander, CommanderError } from "commander";
import { z } from "zod";
import { userError, withOptions } from "../errors.ts";
import type { Provenance } from "../image/provenance.ts";
import { checkOptions, type OptionInfo, optionInfos } from "../options/schema.ts";
import type { Platform } from "../platform/platform.ts";
import { type RuntimeChoice, runtimeNames } from "../platform/platform.ts";
import { flagOf } from "./flags.ts";
import type { Io } from "./io.ts";
import { optionsLike, provenanceOptions, recorder } from "./provenance.ts";

/** What a command takes besides flags. */
export interface Argument {
  readonly name: string;
  readonly description: string;
  readonly isRequired: boolean;
  readonly isVariadic?: boolean;
}

export interface Context {
  readonly io: Io;
  readonly platform: Platform;
  /** Names of the options that were given; the others have their defaults. */
  readonly given: ReadonlySet<string>;
  /**
   * What made the command's outputs, to be written into them: the options that say what is made, and the models that
   * they name. Undefined with --no-metadata.
   */
  record(options: Readonly<Record<string, unknown>>): Promise<Provenance | undefined>;
}

/** Flags that depend on the arguments. */
export interface FlagsByArgument<O extends z.ZodObject> {
  /** Every flag that may be given with any arguments: which words are values of flags is known by these. */
  readonly all: z.ZodObject;
  /** The flags of some arguments. */
  of(args: readonly string[]): O;
}

/** A command as data: flags, checks, help and types come from one schema. */
export interface Command<O extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  readonly summary: string;
  readonly arguments: readonly Argument[];
  /** The flags. */
  readonly options: O | FlagsByArgument<O>;
  /**
   * Whether outputs say what made them: --no-metadata and --like are flags then, and `record` of the context is asked.
   */
  readonly isRecorded?: boolean;
  /** Lines shown under the help. */
  readonly examples: readonly string[];
  /** Does the work; returns the exit code. */
  run(args: readonly string[], options: z.output<O>, context: Context): Promise<number>;
}

export const defineCommand = <O extends z.ZodObject>(command: Command<O>): Command => command as unknown as Command;

/** Flags of every command that runs networks. */
export const runtimeOptions = {
  runtime: z
    .enum(runtimeNames)
    .optional()
    .describe("what computes networks; cpu unless given, wasm where onnxruntime-node is not installed"),
  threads: z.int().min(1).max(256).optional().describe("threads to compute with; all cores unless given"),
};

export const runtimeChoice = ({
  runtime,
  threads,
}: {
  runtime?: RuntimeChoice["name"];
  threads?: number;
}): RuntimeChoice => ({
  ...(runtime && { name: runtime }),
  ...(threads && { threads }),
});

/** Flags of every command that prints a result. */
export const jsonOption = { json: z.boolean().default(false).describe("print one JSON document on stdout") };

/** Flags of commands that draw a sheet. */
export const sheetOptions = (output: string) => ({
  output: z.string().min(1).default(output).describe("picture to write").meta({ short: "o", placeholder: "file" }),
  force: z.boolean().default(false).describe("replace a file that is already there").meta({ short: "f" }),
});

const placeholderOf = ({ kind, placeholder, choices }: OptionInfo): string => {
  if (placeholder) return placeholder;
  if (kind === "number" || choices?.every((one) => typeof one === "number")) return "number";
  return { list: "list", choice: "name" }[kind as string] ?? "text";
};

const plural = (value: unknown): string => (Array.isArray(value) ? value.join(",") : String(value));

/** A flag that is on unless given: --no-metadata. */
const isOffFlag = (info: OptionInfo): boolean => info.kind === "flag" && info.default === true;

/** The help of one flag: what it is for, what it takes, what it is unless given. */
function helpOf(info: OptionInfo): string {
  const preset = info.default;
  const hasDefault = preset !== undefined && info.kind !== "flag" && plural(preset) !== "";
  const says = info.kind !== "flag" && !/^(a text|one text or more)$/.test(info.expected);
  const description = isOffFlag(info) ? (info.off ?? info.description) : info.description;
  return [withOptions(description, flagOf), says && info.expected, hasDefault && `default ${plural(preset)}`]
    .filter(Boolean)
    .join("; ");
}

const collect = (value: string, previous: string[] | undefined): string[] => [...(previous ?? []), value];

function addOption(commander: Commander, info: OptionInfo): void {
  const placeholder = placeholderOf(info);
  const value = info.kind === "flag" ? "" : info.bare === undefined ? ` <${placeholder}>` : ` [${placeholder}]`;
  const flags = isOffFlag(info)
    ? flagOf(`no-${info.name}`)
    : `${info.short ? `-${info.short}, ` : ""}${flagOf(info.name)}${value}`;
  if (info.kind === "list") commander.option(flags, helpOf(info), collect);
  else commander.option(flags, helpOf(info));
}

/** The text of a flag as a number where it is one; the schema judges what is left. */
const asNumber = (text: string): unknown => (text.trim() === "" || Number.isNaN(Number(text)) ? text : Number(text));

function readValue(raw: unknown, info: OptionInfo, isRepeated: boolean): unknown {
  if (raw === true && info.bare !== undefined) return info.bare;
  if (info.kind === "number") return raw === "NaN" ? Number.NaN : asNumber(raw as string);
  if (info.kind === "choice") return info.choices!.find((one) => String(one) === raw) ?? raw;
  if (info.kind !== "list") return raw;
  const parts = isRepeated ? (raw as string[]) : (raw as string[]).flatMap((text) => text.split(","));
  const isNumeric = info.expected.includes("number") || info.choices?.every((one) => typeof one === "number");
  return parts.map((part) => (isNumeric ? asNumber(part.trim()) : part.trim()));
}

const isRepeated = (schema: z.ZodObject, name: string): boolean => {
  let inner = schema.shape[name] as
    | { meta?(): { repeated?: boolean } | undefined; def: { innerType?: unknown } }
    | undefined;
  while (inner) {
    if (inner.meta?.()?.repeated) return true;
    inner = inner.def.innerType as typeof inner;
  }
  return false;
};

/** A commander of our texts: it throws instead of leaving, and writes to `io`. */
export function makeCommander(name: string, io: Io): Commander {
  return new Commander(name)
    .exitOverride()
    .configureOutput({
      writeOut: io.out,
      writeErr: () => {},
      getOutHelpWidth: () => io.columns ?? 100,
      getOutHasColors: () => false,
    })
    .helpOption("-h, --help", "show this help")
    .configureHelp({ styleTitle: (title) => title });
}

/**
 * The words of a command line that are no flags and no values of flags. What else is wrong is told when it is parsed.
 */
function argumentsIn(argv: readonly string[], all: z.ZodObject, io: Io): readonly string[] {
  const commander = makeCommander("", io)
    .helpOption(false)
    .option("-h, --help")
    .allowUnknownOption()
    .allowExcessArguments();
  for (const info of optionInfos(all)) addOption(commander, info);
  const { operands } = commander.parseOptions([...argv]);
  return operands;
}

/** The flags of a command on its command line: its own, and those of every command whose outputs say what made them. */
function flagsOf({ options: flags, isRecorded }: Command, argv: readonly string[], io: Io) {
  const more = isRecorded ? provenanceOptions : {};
  const args = flags instanceof z.ZodObject ? [] : argumentsIn(argv, flags.all.extend(more), io);
  const own = flags instanceof z.ZodObject ? flags : flags.of(args);
  return { own, schema: own.extend(more) };
}

/** The values of the flags that were given; the schema judges them. */
function valuesOf(commander: Commander, schema: z.ZodObject): Readonly<Record<string, unknown>> {
  const raw = commander.opts();
  const isGiven = (info: OptionInfo): boolean =>
    raw[info.name] !== undefined && !(isOffFlag(info) && raw[info.name] === true);
  const given = optionInfos(schema).filter(isGiven);
  return Object.fromEntries(
    given.map((info) => [info.name, readValue(raw[info.name], info, isRepeated(schema, info.name))]),
  );
}

/** Runs one command on its part of the command line. */
export async function runCommand(
  command: Command,
  argv: readonly string[],
  { io, platform }: Pick<Context, "io" | "platform">,
): Promise<number> {
  const { own, schema } = flagsOf(command, argv, io);
  const infos = optionInfos(schema);
  const commander = makeCommander(`imago ${command.name}`, io).description(command.summary);
  for (const { name, description, isRequired, isVariadic } of command.arguments) {
    const text = `${name}${isVariadic ? "..." : ""}`;
    commander.argument(isRequired ? `<${text}>` : `[${text}]`, description);
  }
  for (const info of infos) addOption(commander, info);
  if (command.examples.length > 0)
    commander.addHelpText("after", `\nExamples:\n${command.examples.map((line) => `  ${line}`).join("\n")}`);
  commander.action(() => {});
  parse(commander, argv, infos);
  const { args } = commander;
  const given = valuesOf(commander, schema);
  const values = { ...(await optionsLike({ command: command.name, args, schema, given }, platform)), ...given };
  const options = checkOptions(schema, values, flagOf);
  const taken = Object.fromEntries(Object.entries(options).filter(([name]) => name in own.shape));
  const record = recorder(command.name, options, platform);
  return command.run(args, taken, { io, platform, given: new Set(Object.keys(values)), record });
}

/** Thrown after help or the version was printed. */
export class Finished extends Error {}

/** Lets commander read the flags; its complaints become UserErrors of the house's form. */
export function parse(commander: Commander, argv: readonly string[], infos: readonly OptionInfo[] = []): void {
  try {
    commander.parse([...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0 || error.code === "commander.help") throw new Finished();
    throw complaint(error, commander.name(), infos);
  }
}

function complaint({ code, message }: CommanderError, name: string, infos: readonly OptionInfo[]): Error {
  const [, quoted = ""] = /'([^']+)'/.exec(message) ?? [];
  const [, near] = /Did you mean (?:one of )?(.+?)\?/.exec(message) ?? [];
  const cure = near ? `Did you mean ${near}?` : `See ${name} --help.`;
  if (code === "commander.unknownOption")
    return userError(quoted.replace(/=.*/, ""), `expected a flag of ${name}, got one that it does not know`, cure);
  if (code === "commander.unknownCommand") return userError("imago", `expected a command, got "${quoted}"`, cure);
  if (code === "commander.missingArgument") return userError(name, `expected ${quoted}, got none`, cure);
  if (code === "commander.optionMissingArgument") {
    const flag = /--[\w-]+/.exec(quoted)?.[0] ?? quoted;
    const info = infos.find((one) => flagOf(one.name) === flag);
    return userError(flag, `expected ${info?.expected ?? "a value"}, got nothing`);
  }
  if (code === "commander.excessArguments") {
    const [, most, got] = /Expected (\d+) arguments? but got (\d+)/.exec(message) ?? [];
    return userError(
      name,
      `expected ${most ?? "fewer"} argument${most === "1" ? "" : "s"}, got ${got ?? "more"}`,
      cure,
    );
  }
  return userError(name, message.replace(/^error: /, ""), cure);
}
