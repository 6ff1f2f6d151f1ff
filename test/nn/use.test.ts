import { expect, test } from "vitest";
import { type Use, useIn, uses } from "../../src/nn/use.ts";
import { useText } from "../../src/nn/useText.ts";

/** As files of version 0.1 have them, word for word. */
const written: readonly (readonly [json: string, text: string])[] = [
  ['{"task":"upscale","scale":2,"color":"y","input":"enlarged"}', "enlarges ×2, luma"],
  ['{"task":"reconstruct","size":28,"channels":1,"latent":[20]}', "rebuilds gray 28×28 from 20 numbers"],
  ['{"task":"generate","size":28,"channels":1,"latent":64,"classes":10}', "makes gray 28×28, 10 classes"],
  ['{"task":"generate","size":32,"channels":3,"latent":128,"classes":0,"styles":8}', "makes RGB 32×32"],
  ['{"task":"classify","size":28,"channels":1,"classes":10}', "tells 10 classes apart, gray 28×28"],
  ['{"task":"discriminate","size":28,"channels":1}', "tells real pictures from made ones, gray 28×28"],
  ['{"task":"embed","size":299,"channels":3,"features":2048}', "gives 2048 features of pictures, RGB 299×299"],
  ['{"task":"translate","from":"edges","to":"shoes","channels":3,"size":256}', "turns edges into shoes, RGB 256×256"],
];

test.each(written)("%s is read, told and written as before", (json, text) => {
  const use = useIn(JSON.parse(json))!;
  expect(useText(use)).toBe(text);
  expect(JSON.parse(JSON.stringify(use))).toEqual(JSON.parse(json));
  expect(Object.keys(use)[0]).toBe("task");
});

test("every use has an example here", () => {
  expect(new Set(written.map(([json]) => (JSON.parse(json) as Use).task))).toEqual(new Set(Object.keys(uses)));
});

test("what describes no use is none", () => {
  const wrong = [undefined, {}, { task: "sing" }, { task: "upscale", scale: 99, color: "y", input: "lr" }];
  expect(wrong.map(useIn)).toEqual(wrong.map(() => undefined));
});
