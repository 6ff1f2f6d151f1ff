const reads = new BroadcastChannel("reads");
const { mapAsync } = GPUBuffer.prototype;

/** Says how many bytes each buffer has that is opened for reading. */
GPUBuffer.prototype.mapAsync = function (mode, ...range) {
  if (mode & GPUMapMode.READ) reads.postMessage(this.size);
  return mapAsync.call(this, mode, ...range);
};
