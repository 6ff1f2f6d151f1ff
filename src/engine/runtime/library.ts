/** A value of ONNX Runtime, as far as it is used here. */
export interface OrtTensor {
  readonly type: string;
  readonly dims: readonly number[];
  /** Readable where `location` is "cpu". */
  readonly data: unknown;
  readonly location: string;
  dispose(): void;
}

/** A loaded model of ONNX Runtime. */
export interface OrtSession {
  run(feeds: Readonly<Record<string, OrtTensor>>, fetch?: readonly string[]): Promise<Record<string, OrtTensor>>;
  endProfiling(): void;
  release(): Promise<void>;
}

/** What is used of onnxruntime-node and onnxruntime-web, which are alike in it. */
export interface OrtLibrary {
  readonly InferenceSession: {
    create(model: Uint8Array, options: Readonly<Record<string, unknown>>): Promise<OrtSession>;
  };
  readonly Tensor: new (type: string, data: unknown, dims: readonly number[]) => OrtTensor;
  readonly env: {
    logLevel?: string;
    readonly wasm: { numThreads?: number; wasmPaths?: unknown };
  };
}
