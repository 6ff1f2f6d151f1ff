import { ddim } from "./ddim.ts";
import { ddpm } from "./ddpm.ts";

/** Every sampler; the first one is the usual one. */
export const samplers = [ddim, ddpm] as const;
