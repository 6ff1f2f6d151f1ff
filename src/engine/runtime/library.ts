/** A value of ONNX Runtime, as far as it is used here. */
export interface OrtTensor {
  readonly type: string;
  readonly dims: readonly number[];
  /** Readable where `location` is "cpu". */
  readonly data: unknown;
  readonly location: string;
  dispose(): void;
}

/** What ONNX Runtime tells of an input or output. */
export interface OrtEnd {
  readonly name: string;
  readonly isTensor: boolean;
  readonly type?: string;
  readonly shape?: readonly (number | string)[];
}

/** A loaded model of ONNX Runtime. */
export interface OrtSession {
  readonly inputMetadata: readonly OrtEnd[];
  readonly outputMetadata: readonly OrtEnd[];
  readonly outputNames: readonly string[];
  run(feeds: Readonly<Record<string, OrtTensor>>, fetch?: readonly string[]): Promise<Record<string, OrtTensor>>;
  endProfiling(): void;
  release(): Promise<void>;
}

/** What is used of onnxruntime-node and onnxruntime-web, which are alike in it. */
export interface OrtLibrary {
  readonly InferenceSession: {
    create(model: Uint8Array | string, options: Readonly<Record<string, unknown>>): Promise<OrtSession>;
  };
  readonly Tensor: new (type: string, data: unknown, dims: readonly number[]) => OrtTensor;
  readonly env: {
    logLevel?: string;
    readonly wasm: { numThreads?: number; wasmPaths?: unknown };
  };
}
