/**
 * Where nodes are being made: in a layer ("body.3 › conv2d"), or in a network between its layers. State of the module,
 * so that no op has to be handed a place. It is safe because graphs are built synchronously: `at` sets it and puts it
 * back before anything else can run, also when a build throws. A build that awaited would see another's place; `build`
 * must not.
 */
let path: readonly string[] = [];
let network: string | undefined;

const SEPARATOR = " › ";
/** What a scope ends in when its nodes are no forward pass. */
const marks = { backward: " ′", update: " ←" } as const;

/** What part of a training step a node is: what networks compute, its gradients, or what moves weights and averages. */
export type Phase = "forward" | keyof typeof marks;

/** Where a node belongs. */
export interface Place {
  /** "srresnet/body/3/first"; the network alone for what has no layer, "losses" for what has no network. */
  readonly path: string;
  readonly phase: Phase;
}

interface Scoped {
  readonly scope: string;
}

function at<T>(inside: readonly string[], within: string | undefined, build: () => T): T {
  const before = [path, network] as const;
  [path, network] = [inside, within];
  try {
    return build();
  } finally {
    [path, network] = before;
  }
}

/** Runs `build` with `name` added to the layer path of the nodes made in it. */
export const inScope = <T>(name: string, build: () => T): T => at([...path, name], network, build);

/** Runs `build` in a layer, whatever layer asked for it. @param layer names from the network's to the layer's kind */
export const inLayer = <T>(layer: readonly string[], build: () => T): T => at(layer, network, build);

/** Runs `build` as a network: what it makes between its layers belongs to the layer whose output it works on. */
export const inNetwork = <T>(key: string, build: () => T): T => at([], key, build);

/** The scope of what a node has in the backward pass. */
export const backwardScope = ({ scope }: Scoped): string =>
  scope.endsWith(marks.backward) ? scope : scope + marks.backward;

/** Runs `build` with the layer path of a node, marked as its gradient. */
export const inScopeOf = <T>(node: Scoped, build: () => T): T => at([backwardScope(node)], undefined, build);

/** Runs `build` with its nodes marked as what moves the state of a network. */
export const inUpdate = <T>(key: string, build: () => T): T => at([key + marks.update], undefined, build);

/** The names from network to layer that are in force, for errors. */
export const scopeNames = (): readonly string[] => path;

/**
 * The scope of a node that is made now: of no layer itself, it is where its last input is, a parameter or a layer's
 * output.
 */
export function scopeFor(op: string, inputs: readonly Scoped[]): string {
  if (path.length > 0 || network === undefined || inputs.length === 0) return path.join(SEPARATOR);
  const own = network + SEPARATOR;
  const before = inputs.findLast(({ scope }) => scope.startsWith(own));
  const layer = before ? before.scope.split(SEPARATOR).slice(0, -1) : [network];
  return [...layer, op].join(SEPARATOR);
}

/** Reads a scope. */
export function placeOf(scope: string): Place {
  const marked = Object.entries(marks).find(([, mark]) => scope.endsWith(mark));
  const [phase, mark] = (marked ?? ["forward", ""]) as readonly [Phase, string];
  const names = scope.slice(0, scope.length - mark.length).split(SEPARATOR);
  const layers = names.length > 1 ? names.slice(0, -1) : names;
  return { path: layers.join("/").replaceAll(".", "/") || "losses", phase };
}
