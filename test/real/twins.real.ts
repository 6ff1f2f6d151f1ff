import { test } from "vitest";
import { compareTwin, twins } from "../recipes/twins.ts";

const whole = Object.entries(twins).filter(([name]) => !name.startsWith("small"));

/** The networks that the bench times, at its sizes. */
test.each(whole)("%s: three whole steps as in PyTorch", (_, twin) => compareTwin(twin));
