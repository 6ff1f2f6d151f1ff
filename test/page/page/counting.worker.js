// The worker of the package, told on when it reads from the device.
import "./counting.js";
import "/imago/web.worker.js";
