import type { Examples } from "../../data/exampleSource.ts";
import { option, userError } from "../../errors.ts";
import type { Picture } from "../../image/picture.ts";
import type { Features } from "../../metrics/features.ts";
import { fid } from "../../metrics/fid.ts";
import { kid } from "../../metrics/kid.ts";
import { precisionRecall } from "../../metrics/precisionRecall.ts";
import type { LoadedModel } from "../../modelFiles/model.ts";
import type { UseOf } from "../../nn/use.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { type Classifier, type Embedder, openClassifier, rowsOf } from "../classify/classifier.ts";
import { openFeatures } from "../classify/featureNetwork.ts";
import { rowsFrom } from "../common/batches.ts";
import { type JudgeParts, type Judgment, loadJudge, partsOf, shareOf, spreadOf } from "../common/judging.ts";
import { sheetOfRows } from "../reconstruct/watch.ts";
import { firstRows } from "./generator.ts";
import { type Learned, median, nearestLearned } from "./nearestLearned.ts";
import { openGenerator } from "./openGenerator.ts";

/** Pictures that are put through a network between two looks at the clock. */
const PIECE = 250;
/** Pictures whose nearest training pictures are looked for, and those that are looked through, at most. */
const [SOUGHT, SEARCHED] = [500, 60_000];
const COLUMNS = 16;

const some = ({ data, width }: Features, from: number, to: number): Features => ({
  data: data.subarray(from * width, to * width),
  width,
});

/** Who gives the features and, where a classifier is there, the verdicts. */
async function openJudges(usage: UseOf<"generate">, parts: JudgeParts) {
  const { options, platform, runtime } = parts;
  const { size, channels } = usage;
  if (options.judge === undefined && options.features === undefined)
    throw userError(
      option("judge"),
      "expected a classifier to judge by (judge) or a network of features (features), got neither",
      "Train one: imago train classifier.",
    );
  const judge = options.judge === undefined ? undefined : await loadJudge(options.judge, usage, platform);
  const classifier: Classifier | undefined = judge && (await openClassifier(judge, runtime));
  const embedder: Embedder =
    options.features === undefined
      ? classifier!
      : await openFeatures(options.features, options, { size, channels, platform, runtime });
  return { classifier, embedder };
}

/** Features of a batch, in pieces. */
async function embed(embedder: Embedder, batch: Tensor, what: string, { signal, onProgress }: JudgeParts["hooks"]) {
  const parts: Features[] = [];
  const [count = 0] = batch.shape;
  for (let from = 0; from < count; from += PIECE) {
    signal?.throwIfAborted();
    parts.push(await embedder.features(rowsFrom(batch, from, Math.min(count, from + PIECE))));
    onProgress?.(`features of ${what} pictures`, Math.min(count, from + PIECE), count);
  }
  const all = new Float32Array(parts.reduce((sum, { data }) => sum + data.length, 0));
  parts.reduce((at, { data }) => {
    all.set(data, at);
    return at + data.length;
  }, 0);
  return { data: all, width: parts[0]!.width };
}

/** Pictures and their features, side by side. */
interface Embedded {
  readonly image: Tensor;
  readonly features: Features;
}

interface Sets {
  readonly generated: Embedded;
  /** Of the test part, which nothing was learned from. */
  readonly unseen: Embedded;
  readonly learned: Embedded;
  readonly train: Examples;
}

/**
 * Do made pictures lie nearer to training pictures than held-out ones do? By pixels, which find copies, and by
 * features.
 */
async function nearestPictures({ generated, unseen, learned, train }: Sets, embedder: Embedder) {
  const known = learned.image.shape[0]!;
  const order = searchOrder(train, known);
  const take = (from: number, to: number): Tensor => train.take(order.slice(from, to)).image!;
  const searched = Math.min(SEARCHED, train.description.count);
  const embedded = embedder.isQuick ? Math.max(searched, known) : known;
  /** The nearest training pictures of both sets by some numbers of each picture. */
  const search = async (by: (set: Embedded) => Features, rows: Learned) => {
    const sought = [generated, unseen].map((set) => some(by(set), 0, Math.min(SOUGHT, set.image.shape[0]!)));
    const [ofGenerated, ofUnseen] = await nearestLearned(sought, rows);
    return { generated: ofGenerated!, unseen: ofUnseen! };
  };
  const pixels = await search(({ image }) => rowsOf(image), {
    count: searched,
    rows: (from, to) => rowsOf(take(from, to)),
  });
  const features = await search((set) => set.features, {
    count: embedded,
    rows: (from, to) => (to <= known ? some(learned.features, from, to) : embedder.features(take(from, to))),
  });
  const root = Math.sqrt(rowsOf(generated.image).width); // pixels by root mean square, so that sizes compare
  return {
    figures: {
      "nearest training picture, pixels": median(pixels.generated.distance) / root,
      "the same of test pictures, pixels": median(pixels.unseen.distance) / root,
      "nearest training picture, features": median(features.generated.distance),
      "the same of test pictures, features": median(features.unseen.distance),
      "training pictures searched, pixels": searched,
      "training pictures searched, features": embedded,
    },
    sheet: sheetOf(
      generated.image,
      [pixels.generated, features.generated].map(({ index }) => [...index].map((at) => order[at]!)),
      train,
    ),
  };
}

/** Training pictures in the order that they are searched in: those whose features are known, then the others. */
function searchOrder(train: Examples, known: number): readonly number[] {
  const first = new Set(spreadOf(train, known));
  return [...first, ...Array.from({ length: train.description.count }, (_, i) => i).filter((i) => !first.has(i))];
}

/** Made pictures, below them the nearest training pictures by pixels, then those by features. */
function sheetOf(made: Tensor, found: readonly (readonly number[])[], train: Examples): Picture {
  const columns = Math.min(COLUMNS, found[0]!.length);
  return sheetOfRows(rowsFrom(made, 0, columns), ...found.map((index) => train.take(index.slice(0, columns)).image!));
}

/**
 * A generator against the held-out pictures, on the features of a classifier or of a network that was given: FID, KID,
 * precision and recall, each beside its value for pictures that were learned from. With classes also the share of
 * pictures that the classifier takes for the class they were asked for.
 */
export async function judgeGenerator(model: LoadedModel<UseOf<"generate">>, parts: JudgeParts): Promise<Judgment> {
  const { options, runtime, hooks } = parts;
  const { usage } = model;
  const { classifier, embedder } = await openJudges(usage, parts);
  const { train, test } = await partsOf(usage, parts);
  const labels = Array.from({ length: options.count }, (_, i) => (usage.classes > 0 ? i % usage.classes : 0));
  const generator = await openGenerator(model, runtime);
  const all = async (image: Tensor, what: string): Promise<Embedded> => ({
    image,
    features: await embed(embedder, image, what, hooks),
  });
  const generated = await all(
    await generator.run({ ...firstRows(usage.latent, options.seed, options.count), labels }),
    "made",
  );
  const unseen = await all(test.take(spreadOf(test, options.count)).image!, "test");
  const learned = await all(train.take(spreadOf(train, options.count)).image!, "training");
  const { figures, sheet } = await nearestPictures({ generated, unseen, learned, train }, embedder);
  const accuracy =
    usage.classes > 0 && classifier ? shareOf(await classifier.verdicts(generated.image), labels) : undefined;
  return {
    figures: {
      ...(accuracy !== undefined && { accuracy }),
      ...distances({ generated, unseen, learned, train }, options.seed),
      pictures: options.count,
      ...figures,
    },
    features: embedder.label,
    sheet,
  };
}

/** How far two sets of pictures lie apart, beside how far training and test pictures do. */
function distances({ generated, unseen, learned }: Sets, seed: number): Judgment["figures"] {
  return {
    fid: fid(unseen.features, generated.features),
    "fid of training pictures": fid(unseen.features, learned.features),
    kid: kid(unseen.features, generated.features, { seed }).mean,
    "kid of training pictures": kid(unseen.features, learned.features, { seed }).mean,
    ...precisionRecall(unseen.features, generated.features),
  };
}
