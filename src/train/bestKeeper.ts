import type { Tensors } from "../engine/index.ts";
import { pickWeights } from "./checkpoint.ts";
import type { ResultFile, Run } from "./run.ts";

type Numbers = Readonly<Record<string, number>>;

/** What the best weights are chosen by. */
export interface BestBy {
  /** The evaluation that decides. */
  readonly name: string;
  /** Whether its highest value is best; the lowest is unless given. */
  readonly isHigherBetter?: boolean;
  /** What it was measured with; scores compare only where this is the same. */
  readonly by: string;
}

/** The best weights so far. */
export interface Best {
  readonly path: string;
  readonly step: number;
  readonly score: number;
}

/** What of a FitPlan decides which weights are kept. */
interface KeptPlan {
  readonly run: Run;
  readonly best?: BestBy;
  /** The first one is kept. */
  readonly results?: readonly ResultFile[];
}

const isBetter = (score: number, before: number, { isHigherBetter = false }: BestBy): boolean =>
  isHigherBetter ? score > before : score < before;

/** Keeps the best weights in best.safetensors. */
export interface Keeper {
  readonly best: Best | undefined;
  /** Keeps these weights when they score better than all before; says whether they do. */
  offer(step: number, weights: Tensors, evaluation: Numbers): Promise<boolean>;
}

/**
 * Goes on from the file itself, whose head holds step and score: a run killed after it was written takes those steps
 * again, meets the same score, and leaves the file as it is.
 */
export async function openKeeper({ run, best: wanted, results: [main] = [] }: KeptPlan): Promise<Keeper> {
  const head = wanted && (await run.readBest());
  const isSame = head?.best === wanted?.name && head?.by === wanted?.by;
  let best = head && isSame ? { path: head.path, step: Number(head.step), score: Number(head.score) } : undefined;
  return {
    get best() {
      return best;
    },
    async offer(step, weights, evaluation) {
      const score = wanted && evaluation[wanted.name];
      if (score === undefined || Number.isNaN(score) || (best && !isBetter(score, best.score, wanted!))) return false;
      const texts = { ...main?.metadata, best: wanted!.name, by: wanted!.by, step: String(step), score: String(score) };
      best = { path: await run.saveBest(pickWeights(weights, main?.keep), texts), step, score };
      return true;
    },
  };
}
