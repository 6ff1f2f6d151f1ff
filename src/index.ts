/** Imago's public API for Node: what runs anywhere, and the tasks on this machine's files. */
export * from "./core.ts";
export * from "./node.ts";
