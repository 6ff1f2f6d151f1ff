// @ts-check
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** @param {readonly number[]} list */
export const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? NaN;

/**
 * A process that answers one JSON line to one JSON line.
 * @param {string} command @param {readonly string[]} args
 */
export function open(command, args) {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async ask(/** @type {object} */ question) {
      child.stdin.write(`${JSON.stringify(question)}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error(`${command} ended`);
      return JSON.parse(value);
    },
    close: () => child.stdin.end(),
  };
}
