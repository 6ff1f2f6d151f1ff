#!/usr/bin/env node
import { main } from "./program.ts";

const controller = new AbortController();
let askedAt = 0;
for (const name of ["SIGINT", "SIGTERM"] as const)
  process.on(name, () => {
    // npm passes Ctrl-C on to us, so that one press may come twice; a press later on is a second one.
    if (controller.signal.aborted && performance.now() - askedAt > 1000) process.exit(130);
    if (!controller.signal.aborted) askedAt = performance.now();
    controller.abort();
  });

// A reader that closes early (imago models | head) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

process.exitCode = await main(process.argv.slice(2), {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  isTerminal: process.stderr.isTTY === true,
  columns: process.stdout.columns,
  signal: controller.signal,
});
