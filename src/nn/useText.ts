import type { Use, UseName, UseOf } from "./use.ts";

// Apart from the schemas of use.ts, so that a list of models is printed without them: loading zod takes longer than all
// else.

const planes = (channels: 1 | 3): string => (channels === 1 ? "gray" : "RGB");
const kind = ({ size, channels }: { readonly size: number; readonly channels: 1 | 3 }): string =>
  `${planes(channels)} ${size}×${size}`;

/** What one network of a use does, by its facts. */
type Says = { readonly [T in UseName]: (facts: UseOf<T>) => string };

const says: Says = {
  upscale: ({ scale, color }) => `enlarges ×${scale}, ${color === "y" ? "luma" : "RGB"}`,
  reconstruct: ({ latent, ...square }) => `rebuilds ${kind(square)} from ${latent.join("×")} numbers`,
  generate: ({ classes, ...square }) => `makes ${kind(square)}${classes > 0 ? `, ${classes} classes` : ""}`,
  classify: ({ classes, ...square }) => `tells ${classes} classes apart, ${kind(square)}`,
  discriminate: (square) => `tells real pictures from made ones, ${kind(square)}`,
  embed: ({ features, ...square }) => `gives ${features} features of pictures, ${kind(square)}`,
  translate: ({ from, to, size, channels }) =>
    `turns ${from} into ${to}, ${size === undefined ? planes(channels) : kind({ size, channels })}`,
};

/** "enlarges ×2, luma": what a model does, in a few words. */
export const useText = (use: Use): string => (says[use.task] as (facts: Use) => string)(use);
