// The worker of the package in a browser whose driver offers no GPU.
import "./blind.js";
// @ts-expect-error an address, not a path
import "/imago/web.worker.js";
