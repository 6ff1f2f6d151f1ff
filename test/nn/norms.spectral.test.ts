import { describe, expect, test } from "vitest";
import { compileFunction, input, referenceRuntime } from "../../src/engine/index.ts";
import { initialWeights } from "../../src/nn/model.ts";
import { recipes } from "../../src/recipes/index.ts";
import { floats, sizeOf, tensor } from "../../src/tensor/tensor.ts";

const small = { size: 16, channels: 1, width: 4, most: 8, latent: 4, mapping: 1, classes: 2 };

/** Scores of two pictures, every matrix of the discriminator multiplied by `times`. */
async function scores(name: string, norm: string, times: number) {
  const recipe = recipes.find((one) => one.name === name)!;
  const sizes = { ...small, ...(name === "dcgan" && { size: 24 }), ...(name !== "cgan" && { classes: 0 }) };
  const fields = Object.keys(recipe.options.shape);
  const wanted = Object.entries({ ...sizes, norm }).filter(([key]) => fields.includes(key));
  const discriminator = recipe.networks(recipe.options.parse(Object.fromEntries(wanted)), {}).discriminator!;
  const image = input("image", [2, 1, sizes.size, sizes.size]);
  const label = input("label", [2], { dtype: "int64" });
  const score = discriminator(image, { given: name === "cgan" ? { label } : {} });
  const weights = Object.fromEntries(
    Object.entries(initialWeights([discriminator], 1)).map(([key, { data, shape }]) => {
      const isMatrix = /weight$/.test(key) && shape.length > 1 && !key.includes("label");
      return [
        key,
        tensor(
          Float32Array.from(data as Float32Array, (value) => value * (isMatrix ? times : 1)),
          shape,
        ),
      ];
    }),
  );
  const compiled = await compileFunction({ score }, { runtime: referenceRuntime(), weights });
  const picture = Float32Array.from({ length: sizeOf(image.shape) }, (_, i) => (Math.sin(i) + 1) / 2);
  const labels = { dtype: "int64" as const, shape: [2], data: new BigInt64Array([0n, 1n]) };
  return [...floats((await compiled.run({ image: tensor(picture, image.shape), label: labels })).score!)];
}

describe.each(["gan", "cgan", "dcgan", "stylegan2"])("%s", (name) => {
  test("with --norm spectral the discriminator does not care how large its matrices are, and else it does", async () => {
    const [one, three] = [await scores(name, "spectral", 1), await scores(name, "spectral", 3)];
    expect(one.some((value) => value !== 0)).toBe(true);
    for (const [at, value] of one.entries()) expect(three[at]).toBeCloseTo(value, 5);
    const [plain, larger] = [await scores(name, "none", 1), await scores(name, "none", 3)];
    expect(Math.abs(larger[0]! - plain[0]!)).toBeGreaterThan(1e-3 * Math.abs(plain[0]!));
  });
});
