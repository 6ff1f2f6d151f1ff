GPU.prototype.requestAdapter = async () => null;
