// The worker of the package in a browser whose driver offers no GPU.
import "./blind.js";
import "/imago/web.worker.js";
