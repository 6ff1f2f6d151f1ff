// @ts-check
/** Runs of a turn: the first ones do not count, while the other process's threads come to rest. */
export const TURNS = /** @type {Record<string, { warm: number, repeat: number }>} */ ({
  autoencoder: { warm: 40, repeat: 100 },
  srcnn: { warm: 1, repeat: 4 },
  srresnet: { warm: 1, repeat: 3 },
  "srresnet-remat": { warm: 1, repeat: 3 },
  dcgan: { warm: 1, repeat: 4 },
  stylegan2: { warm: 1, repeat: 3 },
  "stylegan2-r1": { warm: 1, repeat: 3 },
  pix2pix: { warm: 1, repeat: 4 },
  diffusion: { warm: 1, repeat: 2 },
});
