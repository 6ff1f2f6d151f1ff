import type { z } from "zod";
import {
  type Carried,
  type Initializer,
  inLayer,
  inNetwork,
  input,
  type Node,
  type Noise,
  parameter,
  type Tensors,
} from "../engine/index.ts";
import { userError } from "../errors.ts";
import type { DType, Shape, Tensor } from "../tensor/tensor.ts";
import { drawParameter } from "./initializers.ts";
import type { Use, UseOf } from "./use.ts";

/**
 * Where a layer finds its parameters: `p("body")("3")` names them "body.3.…". The same name gives the same parameter,
 * so a network that is called twice shares its weights.
 */
export interface Parameters {
  (name: string): Parameters;
  /** True while training: batch statistics, dropout. */
  readonly training: boolean;
  /** A weight that the optimizer moves. */
  weight(name: string, shape: Shape, initializer: Initializer): Node;
  /** A value that is saved but moved by no optimizer. */
  statistic(name: string, shape: Shape, initializer: Initializer): Node;
  /** Hands a value on to the next step: what a statistic becomes by this forward pass. */
  carry(value: Carried): void;
  /** Random numbers of this call, fresh at every step. */
  noise(name: string, shape: Shape, kind: Noise): Node;
  /** Runs `build` with this place as the layer path of its nodes. */
  within<T>(layer: string, build: () => T): T;
}

type Nodes = Readonly<Record<string, Node>>;

/** Builds a network, or a part of it. `given` holds its further inputs by name. */
export type Build<O> = (x: Node, p: Parameters, options: O, given: Nodes) => Node;

/** A network as data: its options, the shape it takes, and how it is built. */
export interface ModelDefinition<O extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  /** One line for lists and help. */
  readonly summary: string;
  readonly paper: string;
  readonly options: O;
  /** An input shape that it takes; sides marked free may be any number. */
  input(options: z.infer<O>): Shape;
  /** Further inputs that it needs, by name: shape (with a batch of one) and kind of numbers. */
  given?(options: z.infer<O>): Readonly<Record<string, { readonly shape: Shape; readonly dtype: DType }>>;
  readonly build: Build<z.infer<O>>;
  /** Pieces that can be run alone, on the same weights: { encode, decode }. */
  readonly parts?: Readonly<Record<string, Build<z.infer<O>>>>;
  /**
   * For a network that looks at the whole picture (a mean over it, say): parts of a large picture may be worked on
   * alone with
   * `overlap` more input pixels on each side. What joins them is nearly what the whole gives. Absent: the picture stays
   * whole.
   */
  readonly tiling?: { readonly overlap: number };
  /**
   * Recognizes weights that other programs saved: the options that fit, and our name for each of theirs. Absent or
   * undefined when they are not of this model.
   */
  adopt?(weights: Tensors): Adopted<z.input<O>> | undefined;
}

export interface Adopted<I> {
  readonly options: I;
  readonly weights: Tensors;
  /** What the network does; what an upscaler enlarges by is not in its weights. */
  readonly usage: Exclude<Use, UseOf<"upscale">> | Omit<UseOf<"upscale">, "scale">;
}

/** Defines a model; the schema's types reach `build`. */
export const defineModel = <O extends z.ZodObject>(definition: ModelDefinition<O>): ModelDefinition<O> => definition;

export interface CallOptions {
  readonly training?: boolean;
  /** Further inputs by name, such as the label of a conditional generator. */
  readonly given?: Nodes;
}

/** A model with its options and a name: call it on nodes. All calls share one set of parameters. */
export interface Network {
  (x: Node, options?: CallOptions): Node;
  /** Calls a piece of the network alone. */
  part(name: string, x: Node, options?: CallOptions): Node;
  /** The key of its weights, "generator". */
  readonly key: string;
  readonly model: ModelDefinition;
  readonly options: Readonly<Record<string, unknown>>;
  /** Weights that it has from the start and that never move, keyed "network/parameter". */
  readonly frozen?: Tensors;
  /** What the calls in training mode hand on to the next step, in order. */
  readonly carried: readonly Carried[];
  /** All parameters that calls have made so far (those of one call at the model's input shape when none was made). */
  parameters(): readonly ReturnType<typeof parameter>[];
}

type Leaf = ReturnType<typeof parameter>;

/** Makes the scopes of one network. */
class Store {
  readonly leaves = new Map<string, Leaf>();
  readonly carried: Carried[] = [];
  readonly key: string;
  #calls = 0;

  constructor(key: string) {
    this.key = key;
  }

  leaf(name: string, shape: Shape, initializer: Initializer, trainable: boolean): Leaf {
    const found = this.leaves.get(name);
    if (found && found.shape.join() !== shape.join())
      throw userError(
        `${this.key} › ${name}`,
        `expected the shape [${found.shape.join(", ")}] of the first call, got [${shape.join(", ")}]`,
      );
    const make = () => parameter([], { name, network: this.key, shape, initializer, trainable });
    const leaf = found ?? inLayer([this.key, ...name.split(".")], make);
    this.leaves.set(name, leaf);
    return leaf;
  }

  /** The scope of one call of the whole network. */
  call(training: boolean): Parameters {
    const call = this.#calls++;
    const scope = (path: readonly string[]): Parameters => {
      const full = (name: string): string => [...path, name].join(".");
      return Object.assign((name: string) => scope([...path, name]), {
        training,
        weight: (name: string, shape: Shape, initializer: Initializer) =>
          this.leaf(full(name), shape, initializer, true),
        statistic: (name: string, shape: Shape, initializer: Initializer) =>
          this.leaf(full(name), shape, initializer, false),
        carry: (value: Carried) => void this.carried.push(value),
        noise: (name: string, shape: Shape, kind: Noise) =>
          input(`${this.key}/${full(name)}#${call}`, shape, { noise: kind }),
        within: <T>(layer: string, build: () => T) => inLayer([this.key, ...path, layer], build),
      });
    };
    return scope([]);
  }
}

/**
 * A network of a model. Options are checked and completed by the model's schema.
 * @param key names its weights in checkpoints and losses; the model's name when absent
 * @throws ZodError for options that the model does not take; UserError, when called, for a part or a shape that does not fit
 */
export function network<O extends z.ZodObject>(
  model: ModelDefinition<O>,
  options: z.input<O> = {} as z.input<O>,
  key: string = model.name,
): Network {
  const store = new Store(key);
  const checked = model.options.parse(options, { reportInput: true }) as z.infer<O>;
  const calling =
    (build: Build<z.infer<O>>) =>
    (x: Node, { training = false, given = {} }: CallOptions = {}): Node =>
      inNetwork(key, () => build(x, store.call(training), checked, given));
  const call = calling(model.build);
  return Object.assign(call, {
    part(name: string, x: Node, options?: CallOptions) {
      const build = model.parts?.[name];
      if (!build) throw userError(key, `expected one of its parts, got ${name}`);
      return calling(build)(x, options);
    },
    key,
    model: model as unknown as ModelDefinition,
    options: checked,
    carried: store.carried,
    parameters: () => {
      if (store.leaves.size === 0) call(input("input", model.input(checked)), { given: givenLeaves(model, checked) });
      return [...store.leaves.values()];
    },
  });
}

/** Input leaves for everything that a model needs besides its first input, at a batch of one or `batch`. */
export const givenLeaves = <O extends z.ZodObject>(model: ModelDefinition<O>, options: z.infer<O>, batch = 1): Nodes =>
  Object.fromEntries(
    Object.entries(model.given?.(options) ?? {}).map(([name, { shape, dtype }]) => [
      name,
      input(name, [batch, ...shape.slice(1)], { dtype }),
    ]),
  );

/**
 * First weights of networks, keyed "network/parameter"; each parameter has a stream of its own, so their order does not
 * matter.
 */
export function initialWeights(networks: readonly Network[], seed: number): Record<string, Tensor> {
  const all = networks.flatMap((one) =>
    one.parameters().map(({ attributes }) => ({ key: `${one.key}/${attributes.name}`, attributes })),
  );
  return Object.fromEntries(
    all.map(({ key, attributes }) => [key, drawParameter(attributes.initializer, attributes.shape, seed, key)]),
  );
}

/** How many numbers a network learns. */
export const parameterCount = (one: Network): number =>
  one
    .parameters()
    .filter(({ attributes }) => attributes.trainable)
    .reduce((total, { shape }) => total + shape.reduce((a, b) => a * b, 1), 0);

/**
 * Checks that weights are those of a network (names and shapes), and gives them the network's key.
 * @throws UserError for weights that are missing, left over or of another shape
 */
export function bindWeights(one: Network, weights: Tensors, where: string): Record<string, Tensor> {
  const bound: Record<string, Tensor> = {};
  const asked = one.parameters();
  for (const { attributes, shape } of asked) {
    const value = weights[attributes.name];
    if (!value || value.shape.join() !== shape.join())
      throw userError(
        where,
        `expected ${one.model.name} weights with ${attributes.name} [${shape.join(", ")}], got ${value ? `[${value.shape.join(", ")}]` : "none"}`,
        "These are weights of another model or of other options.",
      );
    bound[`${one.key}/${attributes.name}`] = value;
  }
  const extra = Object.keys(weights).find((name) => !(`${one.key}/${name}` in bound));
  if (extra !== undefined)
    throw userError(
      where,
      `expected weights of ${one.model.name} alone, got ${extra} too`,
      "These are weights of another model.",
    );
  return bound;
}
