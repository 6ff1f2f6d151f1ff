import type { Executable, Tensors } from "../../engine/index.ts";
import { floats, sizeOf, type Tensor, tensor } from "../../tensor/tensor.ts";

/** Rows from one on, `batch` of them; zeros where there are none left. */
function cut({ dtype, shape, data }: Tensor, from: number, batch: number): Tensor {
  const width = sizeOf(shape.slice(1));
  const part = data.slice(from * width, (from + batch) * width);
  const whole = new (data.constructor as Float32ArrayConstructor)(batch * width);
  whole.set(part as Float32Array);
  return { dtype, shape: [batch, ...shape.slice(1)], data: whole };
}

/**
 * Runs all rows of its inputs through a function of `batch` rows with one output; the last batch is filled up with
 * zeros. `more` makes further inputs of the batch from a row on, which would be too large for all rows.
 */
export async function runRows(
  run: Executable,
  feeds: Tensors,
  batch: number,
  more: (from: number) => Tensors = () => ({}),
): Promise<Tensor> {
  const count = Object.values(feeds)[0]?.shape[0] ?? 0;
  const parts: Float32Array[] = [];
  let shape: readonly number[] = [];
  for (let from = 0; from < count; from += batch) {
    const part = Object.fromEntries(Object.entries(feeds).map(([name, rows]) => [name, cut(rows, from, batch)]));
    const { output } = await run.run({ ...part, ...more(from) });
    shape = output!.shape.slice(1);
    parts.push(floats(output!).subarray(0, Math.min(batch, count - from) * sizeOf(shape)));
  }
  const all = new Float32Array(count * sizeOf(shape));
  for (const [at, part] of parts.entries()) all.set(part, at * batch * sizeOf(shape));
  return tensor(all, [count, ...shape]);
}

/** The rows from one number to another, as a batch. */
export const rowsFrom = (batch: Tensor, from: number, to: number): Tensor => {
  const [count, ...rest] = batch.shape as readonly [number, ...number[]];
  const end = Math.min(to, count);
  return tensor(floats(batch).subarray(from * sizeOf(rest), end * sizeOf(rest)), [end - from, ...rest]);
};

/** Batches one after the other, as one. */
export function joined(batches: readonly Tensor[]): Tensor {
  const all = new Float32Array(batches.reduce((sum, { data }) => sum + data.length, 0));
  let [at, count] = [0, 0];
  for (const batch of batches) {
    all.set(floats(batch), at);
    at += batch.data.length;
    count += batch.shape[0]!;
  }
  return tensor(all, [count, ...(batches[0]?.shape.slice(1) ?? [])]);
}

/** Runs all rows of a tensor through a function of `batch` rows. */
export const inBatches = (run: Executable, rows: Tensor, batch: number): Promise<Tensor> =>
  runRows(run, { input: rows }, batch);
