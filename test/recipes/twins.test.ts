import { test } from "vitest";
import { compareTwin, twins } from "./twins.ts";

const small = Object.entries(twins).filter(([name]) => name.startsWith("small"));

test.each(small)("%s: three whole steps as in PyTorch", (_, twin) => compareTwin(twin));
