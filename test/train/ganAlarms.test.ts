import { describe, expect, test } from "vitest";
import { generatorAlarms } from "../../src/train/ganAlarms.ts";
import type { MetricLine } from "../../src/train/metricLines.ts";

const samples = (...values: readonly number[]): MetricLine[] =>
  values.map((diversity, i) => ({ step: 500 * (i + 1), evaluation: { diversity } }));

describe("collapse", () => {
  test.each([
    ["varied samples", [0.9, 0.8], false],
    ["a fall to nothing", [0.9, 0.03], true],
    ["nothing from the start", [0.02, 0.02], true],
    ["little, but more each time", [0.02, 0.06], false],
    ["a single measurement", [0.01], false],
    ["a collapse that has passed", [0.9, 0.03, 0.6], false],
    ["little, but more than 200 steps before", [0.1, 0.11], false],
  ])("%s", (_, values, fires) => {
    expect("collapse" in generatorAlarms(samples(...values))).toBe(fires);
  });

  test("names what it saw", () => {
    expect(generatorAlarms(samples(0.9, 0.031)).collapse).toBe(
      "samples are 97 % alike (diversity 0.031 of the training pictures'): the generator has collapsed; " +
        "lower the learning rate, set r1 to 10 or use another loss",
    );
  });

  test("that was there from the start may be something else", () => {
    expect(generatorAlarms(samples(0.02, 0.02)).collapse).toContain("has collapsed, or has not begun to learn; lower");
  });

  test("is not said within 200 steps, and compared with samples that many before", () => {
    const at = (...values: readonly number[]) =>
      samples(...values).map((line, i) => ({ ...line, step: 100 * (i + 1) }));
    expect(generatorAlarms(at(0.05, 0.05))).toEqual({});
    expect(generatorAlarms(at(0.05, 0.05, 0.0515))).toHaveProperty("collapse");
    expect(generatorAlarms(at(0.05, 0.0515, 0.053))).toEqual({});
  });

  test("goes on until the samples are clearly different again", () => {
    const last = (value: number) => {
      const lines = [...samples(0.9, 0.03, value)];
      lines[1] = { ...lines[1]!, alarms: { collapse: "…" } };
      return "collapse" in generatorAlarms(lines);
    };
    expect([0.04, 0.16, 0.21].map(last)).toEqual([true, true, false]);
  });
});

describe("saturation", () => {
  interface Window {
    readonly accuracy: number;
    readonly loss: number;
    readonly norm?: number;
    readonly penalty?: number;
    readonly diversity?: number;
  }
  /** Two lines of losses before the first sample, where all was well, and two after it. */
  const run = ({ accuracy, loss, norm = 2, penalty, diversity = 0.5 }: Window): MetricLine[] => {
    const line = (step: number, [right, cost, slope]: readonly number[]): MetricLine => ({
      step,
      losses: {
        accuracy: right!,
        discriminator: cost!,
        "norm of generator": slope!,
        ...(penalty !== undefined && { penalty }),
      },
    });
    return [
      ...[250, 500].map((step) => line(step, [0.7, 1.2, 2])),
      { step: 500, evaluation: { diversity: 0.5 } },
      ...[750, 1000].map((step) => line(step, [accuracy, loss, norm])),
      { step: 1000, evaluation: { diversity } },
    ];
  };

  test.each([
    ["always right at no cost", { accuracy: 0.999, loss: 0.003 }, true],
    ["the penalty does not hide it", { accuracy: 0.999, loss: 0.203, penalty: 0.2 }, true],
    ["often right", { accuracy: 0.9, loss: 0.003 }, false],
    ["always right, but not by far: a healthy stage of conditional GANs", { accuracy: 0.997, loss: 0.09 }, false],
    ["always right while the samples improve", { accuracy: 0.999, loss: 0.003, diversity: 0.6 }, false],
    ["a critic's loss lies below zero", { accuracy: 0.999, loss: -4 }, false],
    ["no gradient left for the generator", { accuracy: 0.999, loss: 0.5, norm: 0.01 }, true],
  ] as const)("%s", (_, window, fires) => {
    expect("saturation" in generatorAlarms(run(window))).toBe(fires);
  });

  test("names what it saw", () => {
    expect(generatorAlarms(run({ accuracy: 0.999, loss: 0.003 })).saturation).toMatch(
      /^the discriminator is right about 100 % of the pictures at a loss of 0\.003 and the samples do not change/,
    );
    expect(generatorAlarms(run({ accuracy: 1, loss: 0.5, norm: 0.01 })).saturation).toMatch(
      /the generator's gradient has vanished \(norm 0\.01, was 2\); lower the learning rate/,
    );
  });

  test("without a line of losses since the last sample nothing is said", () => {
    expect(generatorAlarms(samples(0.5, 0.5))).toEqual({});
  });
});
