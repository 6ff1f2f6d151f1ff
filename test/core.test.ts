import { expect, test, vi } from "vitest";
import * as core from "../src/core.ts";
import * as index from "../src/index.ts";
import { models } from "../src/models/index.ts";
import * as node from "../src/node.ts";
import { recipes } from "../src/recipes/index.ts";

const without = (all: object, others: object): string[] => Object.keys(all).filter((name) => !(name in others)).sort(); // biome-ignore format: one line

test("the doors differ by what is Node's or the page's own", async () => {
  vi.stubGlobal("Worker", class {});
  const page: string = "../src/web.ts"; // typed with the types of pages, by tsconfig.web.json
  const web = (await import(/* @vite-ignore */ page)) as object;
  expect(without(core, index)).toEqual([]);
  expect(without(core, web)).toEqual([]);
  expect(without(index, core)).toEqual(Object.keys(node).sort());
  expect(without(web, core)).toEqual(
    ["createRuntime", "fromImageData", "loadModel", "openUpscaler", "readPicture", "toImageData"], // biome-ignore format: one line
  );
});

test("every recipe and every network can be imported by its name", () => {
  expect(recipes.filter((recipe) => !Object.values(core).includes(recipe as never))).toEqual([]);
  expect(models.filter((model) => !Object.values(core.networks).includes(model as never))).toEqual([]);
});
