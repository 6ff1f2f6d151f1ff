import { floats, type Tensor, tensor } from "../tensor/tensor.ts";
import type { DataSource } from "./source.ts";

/** Pictures [N, C, H, W] that are learned from, and their labels where the data has some. */
export interface FirstExamples {
  readonly image: Tensor;
  readonly labels?: readonly number[];
}

/**
 * The pictures of the first steps, in their order: a fair sample of a set that need not be opened again. All when there
 * are no more.
 */
export async function firstExamples(source: DataSource, count: number): Promise<FirstExamples> {
  const wanted = Math.min(count, source.description.count);
  const labels: number[] = [];
  let [all, shape] = [new Float32Array(0), [0] as readonly number[]];
  for (let step = 1, have = 0; have < wanted; step++) {
    const { image, label } = await source.batch(step);
    const rows = Math.min(wanted - have, image!.shape[0]!);
    const area = floats(image!).length / image!.shape[0]!;
    if (have === 0) [all, shape] = [new Float32Array(wanted * area), [wanted, ...image!.shape.slice(1)]];
    all.set(floats(image!).subarray(0, rows * area), have * area);
    if (label) labels.push(...Array.from(label.data.subarray(0, rows), Number));
    have += rows;
  }
  return { image: tensor(all, shape), ...(labels.length > 0 && { labels }) };
}
