const reads = new BroadcastChannel("reads");
const READ = 1; // GPUMapMode.READ
const { mapAsync } = GPUBuffer.prototype;

/** Says how many bytes each buffer has that is opened for reading. */
GPUBuffer.prototype.mapAsync = function (mode, ...range) {
  if (mode & READ) reads.postMessage(this.size);
  return mapAsync.call(this, mode, ...range);
};
