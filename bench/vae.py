"""The recipe vae in PyTorch: as many steps of the same network on MNIST, then the ELBO of the test pictures in nats.

python3 bench/vae.py DATA [--steps 300] [--threads 1] [--seed 0], where DATA holds MNIST's IDX files. To compare with
imago train vae --data DATA --steps 300 --run R and imago evaluate --model R --data DATA.
"""
import argparse
import glob
import gzip
import os

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

BATCH, LATENT, RATE = 128, 20, 1e-3


def images(folder, part):
    """[N, 784] in 0…1."""
    (path, *_) = sorted(glob.glob(os.path.join(folder, f"{part}-images*idx3-ubyte*")))
    with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
        return torch.from_numpy(np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784) / np.float32(255))


def stack(*widths):
    layers = [layer for a, b in zip(widths, widths[1:]) for layer in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


class Vae(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = stack(784, 512, 128, 2 * LATENT), stack(LATENT, 128, 512, 784)

    def forward(self, x):
        """−log p(x | z) and the divergence from N(0, 1) of each picture, from one sample."""
        mean, log_variance = self.encoder(x).chunk(2, 1)
        code = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        pixels = F.binary_cross_entropy_with_logits(self.decoder(code), x, reduction="none").sum(1)
        return pixels, 0.5 * (mean.square() + log_variance.exp() - log_variance - 1).sum(1)


def batches(count, steps):
    """Rows of each step: a shuffled pass after the other, without the rest that fills no batch."""
    order = torch.randperm(count)
    at = 0
    for _ in range(steps):
        if at + BATCH > count:
            order, at = torch.randperm(count), 0
        yield order[at:at + BATCH]
        at += BATCH


def main():
    options = argparse.ArgumentParser()
    options.add_argument("data")
    for name, value in (("steps", 300), ("threads", 1), ("seed", 0)):
        options.add_argument(f"--{name}", type=int, default=value)
    o = options.parse_args()
    torch.set_num_threads(o.threads)
    torch.manual_seed(o.seed)
    train, test = images(o.data, "train"), images(o.data, "t10k")
    vae = Vae()
    optimizer = torch.optim.Adam(vae.parameters(), RATE)
    for rows in batches(len(train), o.steps):
        optimizer.zero_grad(set_to_none=True)
        pixels, divergence = vae(train[rows])
        (pixels.mean() + divergence.mean()).backward()
        optimizer.step()
    with torch.inference_mode():
        pixels, divergence = (values.mean().item() for values in vae(test))
    print(f"elbo {-pixels - divergence:.3f}, reconstruction {pixels:.3f}, divergence {divergence:.3f} nats")


main()
