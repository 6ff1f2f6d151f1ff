import { expect, test } from "vitest";
import { readGolden, testGolden } from "./compare.ts";
import { layers } from "./golden.ts";

/** One case of each family, cut from the shared files by cut.ts; test/real/nn.real.ts compares all. */
const fixture = (name: string): URL => new URL(`../fixtures/golden/${name}.safetensors`, import.meta.url);
const cases = readGolden(fixture("layers"));

test("the fixture holds cases of the table", () => {
  expect(Object.keys(cases).length).toBe(8);
  expect(Object.keys(layers)).toEqual(expect.arrayContaining(Object.keys(cases)));
});

testGolden(cases, readGolden(fixture("optimizers"))[""]!);
