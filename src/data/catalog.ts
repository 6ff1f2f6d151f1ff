/** A file to fetch. */
export interface Download {
  readonly url: string;
  readonly name: string;
  readonly bytes: number;
  /** SHA-256 of the file as it is fetched. */
  readonly sha256: string;
}

/** A data set that can be fetched; nothing of it is part of this package. */
export interface DataSet {
  readonly name: string;
  readonly summary: string;
  /** Where it is described. */
  readonly page: string;
  /** What its makers allow. */
  readonly terms: string;
  readonly downloads: readonly Download[];
}

const div2k = (name: string, summary: string, file: string, [bytes, sha256]: readonly [number, string]): DataSet => ({
  name,
  summary,
  page: "https://data.vision.ee.ethz.ch/cvl/DIV2K/",
  terms: "academic research only",
  downloads: [{ url: `https://data.vision.ee.ethz.ch/cvl/DIV2K/${file}`, name: file, bytes, sha256 }],
});

const mnist = (name: string, bytes: number, sha256: string): Download => ({
  url: `https://ossci-datasets.s3.amazonaws.com/mnist/${name}`,
  name,
  bytes,
  sha256,
});

/**
 * What `imago data pull` knows. Sizes and sums of DIV2K are those of TensorFlow Datasets (div2k/checksums.tsv), those
 * of MNIST the ones of the gzip files that LeCun's page, PyTorch and TensorFlow give out alike.
 */
export const catalog: readonly DataSet[] = [
  {
    name: "mnist",
    summary: "70,000 handwritten digits, 28×28, gray",
    page: "http://yann.lecun.com/exdb/mnist/",
    terms: "CC BY-SA 3.0 (LeCun, Cortes, Burges)",
    downloads: [
      mnist("train-images-idx3-ubyte.gz", 9912422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
      mnist("train-labels-idx1-ubyte.gz", 28881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
      mnist("t10k-images-idx3-ubyte.gz", 1648877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
      mnist("t10k-labels-idx1-ubyte.gz", 4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
    ],
  },
  div2k("div2k-train-hr", "DIV2K: 800 photographs of 2K for training", "DIV2K_train_HR.zip", [
    3530603713,
    "9d0b9c463f6e35b6c62cc6a930ee2224f670b34c1df841a57670f9acf0f6c335",
  ]),
  div2k("div2k-train-x4", "DIV2K: the training photographs, bicubic ÷ 4", "DIV2K_train_LR_bicubic_X4.zip", [
    246914039,
    "f006b837f4eb52b82909aa01478e6d6d199eefce932179491d0c9dbb706dde3a",
  ]),
  div2k("div2k-valid-hr", "DIV2K: 100 photographs of 2K for validation", "DIV2K_valid_HR.zip", [
    448993893,
    "20dd31fd84d777bc1cf5d6b7654a3f569c0aec74458ae094122ad1d0489900fc",
  ]),
];
