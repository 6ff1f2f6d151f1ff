import { describe, expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import { featuresOf } from "../../src/metrics/features.ts";
import { fid } from "../../src/metrics/fid.ts";
import { kid } from "../../src/metrics/kid.ts";
import { createMoments } from "../../src/metrics/moments.ts";
import { nearest } from "../../src/metrics/nearest.ts";
import { principalComponents, reconstructionError } from "../../src/metrics/pca.ts";
import { precisionRecall } from "../../src/metrics/precisionRecall.ts";
import { normalRows } from "./rows.ts";

const good = normalRows(6, 3, 1);
const narrow = normalRows(6, 2, 1);
const broken = { data: Float32Array.of(0, 1, 2, 3, Number.NaN, 5), width: 3 };
const judges = {
  fid,
  kid: (a, b) => kid(a, b, { seed: 1 }),
  precisionRecall: (a, b) => precisionRecall(a, b, { k: 1 }),
  nearest,
} satisfies Record<string, (a: typeof good, b: typeof good) => unknown>;

describe.each(Object.entries(judges))("%s refuses", (name, judge) => {
  test("sets of different width", () => {
    expect(() => judge(good, narrow)).toThrow(`${name}: expected feature rows of one width, got 3 and 2.`);
  });
  test("nothing", () => {
    expect(() => judge(good, { data: new Float64Array(), width: 3 })).toThrow(
      /expected at least \d feature rows?, got 0\./,
    );
  });
  test("a number that is none, by its place", () => {
    expect(() => judge(good, broken)).toThrow("expected finite numbers, got NaN in row 1, column 1.");
    expect(() => judge({ ...broken, data: broken.data.with(4, -Infinity) }, good)).toThrow(UserError);
  });
  test("half a row", () => {
    expect(() => judge({ ...good, width: 4 }, good)).toThrow(
      "expected rows of one width, got 18 numbers for rows of 4.",
    );
  });
});

test("lists of rows must be of one width", () => {
  expect(featuresOf([[1, 2], Float32Array.of(3, 4)])).toEqual({ data: Float64Array.of(1, 2, 3, 4), width: 2 });
  expect(() => featuresOf([[1, 2], [3]])).toThrow("features › row 1: expected 2 numbers, as in row 0, got 1.");
});

test("settings that make no sense", () => {
  expect(() => kid(good, good, { seed: 1, subsets: 0 })).toThrow(
    "kid › subsets: expected a whole number from 1, got 0.",
  );
  expect(() => kid(good, good, { seed: 1, size: 1 })).toThrow("kid › size: expected a whole number from 2, got 1.");
  expect(() => precisionRecall(good, good, { k: 0.5 })).toThrow("precisionRecall › k: expected a whole number from 1");
  expect(() => precisionRecall(good, good, { k: 6 })).toThrow("real: expected at least 7 feature rows, got 6.");
  const parts = principalComponents(good);
  expect(() => reconstructionError(parts, good, 4)).toThrow("pca › count: expected a whole number from 0 to 3, got 4.");
  expect(() => reconstructionError(parts, narrow, 1)).toThrow("pca: expected feature rows of width 3, got 2.");
  expect(() => principalComponents({ data: Float32Array.of(1, 2, 3), width: 3 })).toThrow(
    "at least 2 feature rows, got 1",
  );
  expect(() => createMoments(2).add(good)).toThrow("moments: expected feature rows of width 2, got 3.");
  expect(() => createMoments(2).gaussian()).toThrow(
    "moments: expected at least 2 feature rows for a covariance, got 0.",
  );
});
