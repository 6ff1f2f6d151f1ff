// The worker of the package, told on when it reads from the device.
import "./counting.js";
// @ts-expect-error an address, not a path
import "/imago/web.worker.js";
