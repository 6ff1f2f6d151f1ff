import { describe, expect, test } from "vitest";
import { z } from "zod";
import { add, depthToSpace, globalAveragePool, mul, type Node, relu, sigmoid } from "../../../src/engine/index.ts";
import { bleedAlpha, mergeAlpha, splitAlpha, toDepth, toGray } from "../../../src/image/channels.ts";
import { crop, isSamePicture, makePicture, type Picture } from "../../../src/image/picture.ts";
import { resize } from "../../../src/image/resize.ts";
import { modelOf } from "../../../src/modelFiles/model.ts";
import { conv2d, convTranspose2d } from "../../../src/nn/layers.ts";
import { defineModel, initialWeights, network } from "../../../src/nn/model.ts";
import { networkUpscaler } from "../../../src/tasks/upscale/networkUpscaler.ts";
import { radiusOf, tilingOf } from "../../../src/tasks/upscale/receptiveField.ts";
import { methods, openUpscaler } from "../../../src/tasks/upscale/upscale.ts";
import { enlargedSize } from "../../../src/tasks/upscale/upscaler.ts";
import { difference } from "../../fixtures/pictures.ts";
import { photograph, referenceOnly, testPlatform, tinyModel } from "../support.ts";

const platform = testPlatform();
const open = (options: Parameters<typeof openUpscaler>[0]) => openUpscaler(options, platform, referenceOnly);
const bicubic = (picture: Picture, scale = 2): Picture =>
  resize(
    picture,
    { width: picture.width * scale, height: picture.height * scale },
    { method: "bicubic", convention: "matlab" },
  );

/** Half transparent where the photograph is bright, arbitrary colors where it is fully transparent. */
const withAlpha = (picture: Picture): Picture => {
  const alpha = toGray(picture);
  return mergeAlpha(picture, {
    ...alpha,
    data: alpha.data.map((value) => (value < 90 ? 0 : value > 160 ? 255 : value)),
  });
};

describe("classic methods", () => {
  test.each(methods)("%s is the resize of that name, at any factor", async (method) => {
    const picture = photograph(31, 22);
    const upscaler = await open({ method, scale: 1.5 });
    const large = await upscaler.run(picture);
    expect([large.width, large.height]).toEqual([47, 33]);
    const same = resize(picture, large, { method, convention: "matlab", factor: 1.5 });
    expect(isSamePicture(large, same)).toBe(true);
    expect(upscaler).toMatchObject({ name: method, scale: 1.5, seams: "exact" });
  });

  test("without a model that fits, bicubic stands in", async () => {
    expect((await open({})).name).toBe("bicubic");
  });

  test.each([
    [1, 1],
    [1, 5000],
    [5000, 1],
  ])("%i×%i pixels", async (width, height) => {
    const picture = makePicture({ width, height, channels: 3 });
    const large = await (await open({ method: "lanczos", scale: 2 })).run(picture);
    expect([large.width, large.height]).toEqual([2 * width, 2 * height]);
  });
});

test("sizes: MATLAB rounds up, the others to the nearest; too large is refused", () => {
  expect(enlargedSize({ width: 451, height: 301 }, 1.1, "matlab")).toEqual({ width: 497, height: 332 });
  expect(enlargedSize({ width: 451, height: 301 }, 1.1, "pillow")).toEqual({ width: 496, height: 331 });
  expect(() => enlargedSize({ width: 20000, height: 20000 }, 2, "matlab")).toThrow("expected a result of at most");
});

describe("a network whose input is enlarged", () => {
  const upscalerOf = (options: Parameters<typeof tinyModel>[0] = {}, tile = 256) =>
    networkUpscaler(tinyModel(options), referenceOnly, tile);

  test.each([["y"], ["rgb"]] as const)("%s: tiles join without a seam", async (color) => {
    const picture = photograph(60, 44);
    const whole = await upscalerOf({ usage: { color } }).run(picture);
    const tiled = await upscalerOf({ usage: { color } }, 32).run(picture);
    expect([whole.width, whole.height]).toEqual([120, 88]);
    expect(difference(whole.data, tiled.data).most).toBeLessThanOrEqual(1);
    expect(difference(whole.data, bicubic(picture).data).most).toBeGreaterThan(1);
  });

  test.each([["y"], ["rgb"]] as const)("%s: gray stays gray", async (color) => {
    const gray = toGray(photograph(20, 16));
    const large = await upscalerOf({ usage: { color } }).run(gray);
    expect(large.channels).toBe(1);
    expect(difference(large.data, bicubic(gray).data).most).toBeLessThan(90);
  });

  test.each([["y"], ["rgb"]] as const)("%s: 16 bits never pass through 8", async (color) => {
    const eight = photograph(24, 20);
    const sixteen = toDepth(eight, 16);
    const data = sixteen.data.map((value, i) => Math.min(65535, value + (i % 97)));
    const large = await upscalerOf({ usage: { color } }).run({ ...sixteen, data });
    expect(large.depth).toBe(16);
    expect(large.data.filter((value) => value % 257 !== 0).length).toBeGreaterThan(0.9 * large.data.length);
    const small = await upscalerOf({ usage: { color } }).run(eight);
    expect(difference(toDepth(large, 8).data, small.data).most).toBeLessThanOrEqual(3);
  });

  test("alpha is enlarged by bicubic; what lies beneath transparent pixels does not shine through", async () => {
    const picture = withAlpha(photograph(24, 20));
    const large = await upscalerOf().run(picture);
    const { alpha } = splitAlpha(large);
    expect(isSamePicture(alpha!, bicubic(splitAlpha(picture).alpha!))).toBe(true);
    const painted = { ...picture, data: picture.data.map((value, i) => (picture.data[i - (i % 4) + 3] === 0 && i % 4 < 3 ? 255 - value : value)) }; // biome-ignore format: one line
    expect(isSamePicture(await upscalerOf().run(painted), large)).toBe(true);
    expect(isSamePicture(bleedAlpha(painted), bleedAlpha(picture))).toBe(true);
  });

  test("the luma network leaves Cb and Cr to the interpolation", async () => {
    const model = tinyModel();
    for (const value of Object.values(model.weights)) (value.data as Float32Array).fill(0);
    const large = await networkUpscaler(model, referenceOnly, 256).run(photograph(16, 16));
    const grays = new Set(large.data);
    expect(grays.size).toBeGreaterThan(2); // luma 0 everywhere, the colors are still there
  });

  test.each([
    [1, 1],
    [1, 300],
    [300, 1],
    [2, 3],
  ])("%i×%i pixels", async (width, height) => {
    const large = await upscalerOf({}, 64).run(makePicture({ width, height, channels: 3 }));
    expect([large.width, large.height]).toEqual([2 * width, 2 * height]);
  });

  test("progress counts tiles; an aborted signal stops between them", async () => {
    const steps: string[] = [];
    const controller = new AbortController();
    const run = upscalerOf({}, 32).run(photograph(60, 44), {
      signal: controller.signal,
      onProgress: (done, total) => {
        steps.push(`${done}/${total}`);
        if (done === 2) controller.abort();
      },
    });
    await expect(run).rejects.toMatchObject({ name: "AbortError" });
    expect(steps).toEqual(["1/15", "2/15"]);
  });
});

describe("a network that enlarges", () => {
  const definition = defineModel({
    name: "shuffle",
    summary: "for this test",
    paper: "",
    options: z.object({ channels: z.literal([1, 3]) }),
    input: ({ channels }) => [1, channels, 16, 16],
    build(x: Node, p, { channels }) {
      x = relu(conv2d(x, p("body"), { out: 4, kernel: 5 }));
      return depthToSpace(conv2d(x, p("head"), { out: channels * 9, kernel: 3 }), 3);
    },
  });

  test.each([["y"], ["rgb"]] as const)("%s: tiles of the small picture join without a seam", async (color) => {
    const made = network(definition, { channels: color === "y" ? 1 : 3 });
    const model = modelOf(
      made,
      initialWeights([made], 4),
      { task: "upscale", scale: 3, color, input: "lr" },
      "shuffle",
    );
    expect(radiusOf(model.build, model.example)).toBe(3);
    const picture = crop(photograph(64, 64), { x: 0, y: 10, width: 50, height: 40 });
    const whole = await networkUpscaler(model, referenceOnly, 256).run(picture);
    const tiled = await networkUpscaler(model, referenceOnly, 32).run(picture);
    expect([whole.width, whole.height]).toEqual([150, 120]);
    expect(difference(whole.data, tiled.data).most).toBeLessThanOrEqual(1);
  });
});

describe("a network that looks at the whole picture", () => {
  /** RCAN in small: channels weighed by their means over the picture, in a residual block. */
  const attentive = (tiling?: { readonly overlap: number }) => {
    const definition = defineModel({
      name: "attentive",
      summary: "for this test",
      paper: "",
      options: z.object({}),
      input: () => [1, 3, 16, 16],
      tiling,
      build(x: Node, p) {
        const y = conv2d(relu(conv2d(x, p("head"), { out: 4, kernel: 3 })), p("body"), { out: 4, kernel: 3 });
        const weight = sigmoid(conv2d(globalAveragePool(y), p("gate"), { out: 4, kernel: 1 }));
        return depthToSpace(conv2d(add(y, mul(y, weight)), p("end"), { out: 12, kernel: 3 }), 2);
      },
    });
    const made = network(definition);
    const usage = { task: "upscale", scale: 2, color: "rgb", input: "lr" } as const;
    return networkUpscaler(modelOf(made, initialWeights([made], 4), usage, "attentive"), referenceOnly, 64);
  };
  const picture = photograph(112, 40);
  const tilesOf = async (upscaler: ReturnType<typeof attentive>) => {
    let tiles = 0;
    const large = await upscaler.run(picture, { onProgress: (_, total) => (tiles = total) });
    return { tiles, large };
  };

  test("is one tile, or tiles with the overlap that its definition gives, whose seams are approximate", async () => {
    const [whole, tiled] = [attentive(), attentive({ overlap: 16 })];
    expect([whole.seams, tiled.seams]).toEqual(["exact", "approximate"]);
    const [one, some] = [await tilesOf(whole), await tilesOf(tiled)];
    expect([one.tiles, some.tiles]).toEqual([1, 3]);
    const { count, most } = difference(one.large.data, some.large.data);
    expect(count).toBeGreaterThan(0); // the means of a tile are not those of the picture,
    expect(most).toBeLessThan(26); // but near them: within a tenth of the range
  });

  test("a network that shrinks pictures inside has a radius, but tiles in other phases", () => {
    const hourglass = (x: Node) => {
      const made = network(
        defineModel({
          name: "hourglass",
          summary: "for this test",
          paper: "",
          options: z.object({}),
          input: () => [1, 1, 16, 16],
          build: (y: Node, p) =>
            convTranspose2d(conv2d(y, p("down"), { out: 2, kernel: 4, stride: 2, padding: 1 }), p("up"), {
              out: 1,
              kernel: 4,
              stride: 2,
              padding: 1,
            }),
        }),
      );
      return made(x);
    };
    expect(tilingOf({ build: hourglass, example: [1, 1, 16, 16] })).toEqual({ radius: 3, seams: "approximate" });
  });
});

test("options are checked by the schema", async () => {
  await expect(open({ tile: 12.5 })).rejects.toThrow(
    "upscale › tile: expected a whole number from 32 to 1024 (pixels), got 12.5.",
  );
});
