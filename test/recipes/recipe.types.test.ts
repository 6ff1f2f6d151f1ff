import { describe, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { captioned } from "../../src/data/captioned.ts";
import { examples } from "../../src/data/examples.ts";
import { pairs } from "../../src/data/pairs.ts";
import { patches } from "../../src/data/patches.ts";
import { unpaired } from "../../src/data/unpaired.ts";
import type { Node } from "../../src/engine/index.ts";
import { dcganDiscriminator, dcganGenerator } from "../../src/models/dcgan.ts";
import { type Network, network } from "../../src/nn/model.ts";
import { adam } from "../../src/nn/optimizers.ts";
import { constantRate } from "../../src/nn/schedules.ts";
import { defineRecipe, move } from "../../src/recipes/index.ts";

/** Compiled, not run: what the author of a recipe is told by the types. */
describe("the types of a recipe", () => {
  test("networks, batch and options are known by name", () => {
    defineRecipe({
      name: "typed",
      summary: "",
      paper: "",
      options: z.object({ rate: z.number().default(1e-3) }),
      data: () => examples({ size: 28, channels: 1, batch: 4, classes: 10 }),
      networks: () => ({
        generator: network(dcganGenerator, { size: 28 }, "generator"),
        discriminator: network(dcganDiscriminator, { size: 28 }, "discriminator"),
      }),
      results: () => ({ generator: { task: "generate", size: 28, channels: 1, latent: 100, classes: 0 } }),
      step(networks, batch, options) {
        expectTypeOf(networks).toEqualTypeOf<{ generator: Network; discriminator: Network }>();
        expectTypeOf(batch.image).toEqualTypeOf<Node>();
        expectTypeOf(batch.label).toEqualTypeOf<Node | undefined>();
        expectTypeOf(options).toEqualTypeOf<{ rate: number }>();
        // @ts-expect-error: a recipe of examples has no source
        batch.source;
        // @ts-expect-error: no network of that name
        networks.judge;
        const how = { optimizer: adam(), rate: constantRate(options.rate) };
        return { turns: { generator: move(networks.generator, batch.image, how) } };
      },
    });
  });

  test("a result is a network of the recipe", () => {
    defineRecipe({
      name: "typed",
      summary: "",
      paper: "",
      options: z.object({}),
      data: () => examples({ size: 28, channels: 1, batch: 4 }),
      networks: () => ({ generator: network(dcganGenerator, { size: 28 }, "generator") }),
      // @ts-expect-error: none of its networks
      results: () => ({ other: { task: "generate", size: 28, channels: 1, latent: 100, classes: 0 } }),
      step: () => ({ turns: {} }),
    });
  });

  test("every kind of data names its leaves", () => {
    expectTypeOf(patches).returns.toHaveProperty("inputs").returns.toHaveProperty("target");
    expectTypeOf(pairs).returns.toHaveProperty("inputs").returns.toHaveProperty("source");
    expectTypeOf(unpaired).returns.toHaveProperty("inputs").returns.toHaveProperty("b");
    expectTypeOf(captioned).returns.toHaveProperty("inputs").returns.toHaveProperty("caption");
  });
});
