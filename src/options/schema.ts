import { z } from "zod";
import { userError } from "../errors.ts";

/** What is known of one option from its schema alone: enough for a flag, its help and its errors. */
export interface OptionInfo {
  readonly name: string;
  readonly kind: "number" | "text" | "flag" | "choice" | "list" | "other";
  /** What a value must be: "a whole number from 32 to 1024 (pixels)". */
  readonly expected: string;
  /** What the option is for, without the unit; other options in it as `option` marks them. */
  readonly description: string;
  readonly choices?: readonly (string | number)[];
  readonly isRequired: boolean;
  readonly default?: unknown;
  /** One-letter flag. */
  readonly short?: string;
  /** What stands for the value in help. */
  readonly placeholder?: string;
  /** What leaving it off does, for what is on unless told otherwise. */
  readonly off?: string | undefined;
  /** The value of a flag given without one. */
  readonly bare?: unknown;
  /** The use of the model that it names. */
  readonly model?: string | undefined;
}

interface Schema {
  readonly def: {
    readonly type: string;
    readonly innerType?: Schema;
    readonly element?: Schema;
    readonly items?: readonly Schema[];
    readonly entries?: Readonly<Record<string, string>>;
    readonly values?: readonly (string | number)[];
    readonly defaultValue?: unknown;
    readonly checks?: readonly { readonly _zod: { readonly def: Check } }[];
  };
  readonly isInt?: boolean;
  readonly description?: string;
  meta?(): Readonly<Record<string, unknown>> | undefined;
}

interface Check {
  readonly check: string;
  readonly value?: number;
  readonly inclusive?: boolean;
}

/** The schema beneath defaults and optionals, and those wrappers, outermost first. */
function unwrap(schema: Schema): { readonly inner: Schema; readonly wrappers: readonly Schema[] } {
  const wrappers: Schema[] = [];
  let inner = schema;
  while (inner.def.innerType) {
    wrappers.push(inner);
    inner = inner.def.innerType;
  }
  return { inner, wrappers };
}

const choicesOf = ({ def }: Schema): readonly (string | number)[] | undefined =>
  def.type === "enum" ? Object.values(def.entries!) : def.type === "literal" ? def.values : undefined;

const kinds: Readonly<Record<string, OptionInfo["kind"]>> = {
  number: "number",
  string: "text",
  boolean: "flag",
  enum: "choice",
  literal: "choice",
  array: "list",
  tuple: "list",
};

/** "one of a, b and c". */
export const oneOf = (values: readonly (string | number)[]): string =>
  values.length === 1 ? String(values[0]) : `one of ${values.slice(0, -1).join(", ")} and ${values.at(-1)}`;

/** A unit is the tail of a description: "…, in pixels". */
const splitUnit = (description: string): readonly [text: string, unit: string | undefined] => {
  const found = /^(.*), in ([^,]+)$/.exec(description);
  return found ? [found[1]!, found[2]] : [description, undefined];
};

function rangeOf({ def }: Schema): string {
  const checks = (def.checks ?? []).map((check) => check._zod.def);
  const low = checks.find(({ check }) => check === "greater_than");
  const high = checks.find(({ check }) => check === "less_than");
  if (low?.inclusive && high?.inclusive) return ` from ${low.value} to ${high.value}`;
  const from = low && (low.inclusive ? `${low.value} or more` : `above ${low.value}`);
  const to = high && (high.inclusive ? `at most ${high.value}` : `below ${high.value}`);
  return from || to ? ` ${[from, to].filter(Boolean).join(" and ")}` : "";
}

function expectedOf(schema: Schema, unit?: string): string {
  const { inner } = unwrap(schema);
  const choices = choicesOf(inner);
  if (choices) return oneOf(choices);
  const { type, element, items } = inner.def;
  if (type === "number") return `a ${inner.isInt ? "whole " : ""}number${rangeOf(inner)}${unit ? ` (${unit})` : ""}`;
  if (type === "array") return expectedEach(element!, unit);
  if (type === "tuple") return items!.map((item) => expectedOf(item, unit)).join(", ");
  return type === "string" ? "a text" : type === "boolean" ? "true or false" : "something else";
}

function expectedEach(element: Schema, unit?: string): string {
  const choices = choicesOf(unwrap(element).inner);
  if (choices) return `one or more of ${oneOf(choices).replace(/^one of /, "")}`;
  return element.def.type === "string" ? "one text or more" : `${expectedOf(element, unit)}, or several with commas`;
}

/** Reads one option's schema. */
export function optionInfo(name: string, schema: z.ZodType): OptionInfo {
  const { inner, wrappers } = unwrap(schema as unknown as Schema);
  const meta: Readonly<Record<string, unknown>> = Object.assign(
    {},
    ...[inner, ...wrappers.toReversed()].map((part) => part.meta?.()),
  );
  const [description, unit] = splitUnit(String(meta.description ?? ""));
  const preset = wrappers.find(({ def }) => def.type === "default")?.def.defaultValue;
  return {
    name,
    kind: kinds[inner.def.type] ?? "other",
    expected: typeof meta.expected === "string" ? meta.expected : expectedOf(inner, unit),
    description,
    choices: choicesOf(inner.def.type === "array" ? inner.def.element! : inner),
    isRequired: wrappers.length === 0,
    default: preset,
    short: meta.short as string | undefined,
    placeholder: meta.placeholder as string | undefined,
    off: meta.off as string | undefined,
    bare: meta.bare,
    model: meta.model as string | undefined,
  };
}

/** All options of an object schema, in order. */
export const optionInfos = (schema: z.ZodObject): readonly OptionInfo[] =>
  Object.entries(schema.shape).map(([name, option]) => optionInfo(name, option as z.ZodType));

const show = (value: unknown): string =>
  value === undefined
    ? "nothing"
    : typeof value === "string"
      ? value || '""'
      : (JSON.stringify(value) ?? String(value));

const shown = (value: unknown): string =>
  typeof value === "number"
    ? String(value)
    : Array.isArray(value)
      ? value.map(show).join(",") || "nothing"
      : show(value);

/** What stands before the colon for an option: "--tile", or "upscale › tile". */
export type CheckNames = (option: string) => string;

/**
 * Checks and completes options. The first that is wrong gives a UserError "--tile: expected …, got 12.5."
 * @throws UserError for the first option that is wrong
 */
export function checkOptions<O extends z.ZodObject>(schema: O, values: unknown, where: CheckNames): z.infer<O> {
  const result = schema.safeParse(values, { reportInput: true });
  if (result.success) return result.data as z.infer<O>;
  const issue = result.error.issues[0]!;
  const name = issue.path[0] as string | undefined;
  if (name === undefined) throw userError(where("options"), `expected options as an object, got ${show(values)}`);
  const got = (values as Readonly<Record<string, unknown>>)[name];
  if (issue.code === "custom") throw userError(where(name), issue.message);
  throw userError(
    where(name),
    `expected ${optionInfo(name, schema.shape[name] as z.ZodType).expected}, got ${shown(got)}`,
  );
}

/** The same options without what they are unless given: what may be changed later. */
export function withoutDefaults<O extends z.ZodObject>(
  schema: O,
): z.ZodObject<{ [K in keyof O["shape"]]: z.ZodOptional<O["shape"][K]> }> {
  const bare = (option: z.ZodType): z.ZodType => {
    const { def } = option as unknown as { readonly def: { readonly type: string; readonly innerType: z.ZodType } };
    return def.type === "default" || def.type === "optional" ? bare(def.innerType).meta(option.meta() ?? {}) : option;
  };
  const shape = Object.entries(schema.shape).map(([name, option]) => [name, bare(option as z.ZodType).optional()]);
  return z.object(Object.fromEntries(shape)) as never;
}
