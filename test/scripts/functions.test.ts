import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { functionsOf } from "../../scripts/functions.mjs";

/** What a reader by patterns gets wrong: parameters over lines, braces in texts, functions inside functions. */
const code = `/** Adds. */
export const add = (
  a: number,
  b: number,
): number => {
  const text = "}";
  return a + b + text.length;
};

// A comment that is not part of it
async function* outer(): AsyncGenerator<() => number> {
  yield () => {
    return 1; // }
  };
}

class Box {
  #value = (x: number) => x;
  constructor() {}
  get value() {
    return this.#value;
  }
}

const holder = {
  /** Runs. */
  run(): void {
    void [outer, Box, \`\${"{"}\`];
  },
};
void holder;
`;

test("functions are found with their lines", async () => {
  const folder = await mkdtemp(join(tmpdir(), "imago-functions-"));
  try {
    await writeFile(join(folder, "a.ts"), code);
    await writeFile(join(folder, "tsconfig.json"), '{ "compilerOptions": { "types": [] }, "files": ["a.ts"] }');
    const found = functionsOf(join(folder, "tsconfig.json"));
    expect(found.map(({ name, line, length }) => [name, line, length])).toEqual([
      ["add", 2, 7],
      ["outer", 11, 5],
      ["a function", 12, 3],
      ["#value", 18, 1],
      ["Box", 19, 1],
      ["value", 20, 3],
      ["run", 27, 3],
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
